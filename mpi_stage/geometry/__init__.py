"""Rows and rectangles of an image, as arithmetic alone."""
