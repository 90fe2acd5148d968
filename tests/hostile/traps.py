"""All hostile files there are."""

import raster_traps
import tiff_traps
import zarr_traps

TRAPS = (*tiff_traps.TRAPS, *raster_traps.TRAPS, *zarr_traps.TRAPS)
