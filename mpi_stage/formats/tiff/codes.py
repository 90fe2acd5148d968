"""TIFF's numbers, each stated once: tags, types of values, and what the values of some tags mean.

After *TIFF Revision 6.0* (Adobe, 1992) and its supplements, the BigTIFF design, and what libtiff and GDAL
have added. The tags of GeoTIFF are in ``geo``.
"""

SUBFILE_TYPE = 254
IMAGE_WIDTH, IMAGE_LENGTH, BITS, COMPRESSION, PHOTOMETRIC, FILL_ORDER = 256, 257, 258, 259, 262, 266
DESCRIPTION, STRIP_OFFSETS, ORIENTATION, SAMPLES, ROWS_PER_STRIP, STRIP_COUNTS = 270, 273, 274, 277, 278, 279
X_RESOLUTION, Y_RESOLUTION, PLANAR, RESOLUTION_UNIT, SOFTWARE, PREDICTOR = 282, 283, 284, 296, 305, 317
COLOUR_MAP, TILE_WIDTH, TILE_LENGTH, TILE_OFFSETS, TILE_COUNTS = 320, 322, 323, 324, 325
SUB_DIRECTORIES, EXTRA_SAMPLES, SAMPLE_FORMAT, JPEG_TABLES = 330, 338, 339, 347
YCBCR_SUBSAMPLING, REFERENCE_BLACK_WHITE = 530, 532
IMAGE_DEPTH, TILE_DEPTH, ICC_PROFILE, NODATA, LERC_PARAMETERS = 32_997, 32_998, 34_675, 42_113, 50_674

TYPE_BYTE, TYPE_ASCII, TYPE_SHORT, TYPE_LONG, TYPE_RATIONAL = 1, 2, 3, 4, 5
TYPE_UNDEFINED, TYPE_SIGNED_RATIONAL, TYPE_DOUBLE, TYPE_LONG8 = 7, 10, 12, 16
"""Of values in a directory: those that are treated in a way of their own, or written."""

REDUCED, MASK = 1, 4
"""Bits of SUBFILE_TYPE."""

UNCOMPRESSED = 1

COMPRESSIONS = {
    UNCOMPRESSED: "none",
    5: "lzw",
    7: "jpeg",
    8: "deflate",
    32_773: "packbits",
    32_946: "deflate",
    33_004: "jpeg2000",
    33_005: "jpeg2000",
    34_712: "jpeg2000",
    34_887: "lerc",
    34_926: "zstd",
    50_000: "zstd",
    50_001: "webp",
}
"""The values of COMPRESSION that are read."""

COMPRESSIONS_WRITTEN = {
    "none": UNCOMPRESSED,
    "lzw": 5,
    "jpeg": 7,
    "deflate": 8,
    "lerc": 34_887,
    "zstd": 50_000,
}
"""And those that are written."""

WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, YCBCR = 0, 1, 2, 3, 6
"""Values of PHOTOMETRIC."""

NO_PREDICTOR, HORIZONTAL, FLOATING = 1, 2, 3
"""Values of PREDICTOR: none, differences of integers, differences of the bytes of floats."""

TOGETHER, SEPARATE = 1, 2
"""Values of PLANAR: channels side by side, or each in segments of its own."""

REVERSED = 2
"""The value of FILL_ORDER with which the bits of a byte are turned round."""

UNSIGNED, FLOAT = 1, 3
"""Values of SAMPLE_FORMAT that are written."""

UNSPECIFIED, PREMULTIPLIED, UNASSOCIATED = 0, 1, 2
"""Values of EXTRA_SAMPLES; the last two are alpha."""

RESOLUTION_UNITS = {1: "none", 2: "inch", 3: "centimeter"}
