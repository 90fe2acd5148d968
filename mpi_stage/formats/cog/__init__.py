"""Cloud-Optimized GeoTIFF as an output."""
