"""Zarr 3 and OME-Zarr: folders or objects, read and written by ranks side by side."""
