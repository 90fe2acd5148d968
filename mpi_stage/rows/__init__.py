"""Rows of an image as a rank holds them: slabs, halo rows, digests, smaller levels."""
