"""TIFF and BigTIFF: headers, segments, pages, read and written by ranks side by side."""
