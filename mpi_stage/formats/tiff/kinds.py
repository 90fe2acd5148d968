"""Which kinds of TIFF pixels are read, and how they become gray, RGB or bands."""

import numpy as np
from numpy.typing import NDArray

from mpi_stage.errors import DamagedInputError, UnsupportedFormatError
from mpi_stage.formats.tiff import codes
from mpi_stage.formats.tiff.coding import LERC_INNER
from mpi_stage.formats.tiff.fields import Fields
from mpi_stage.formats.tiff.page import TiffPage

MAX_SIDE_PX = 2**31 - 1
_TYPES = {(1, 8): "uint8", (4, 8): "uint8", (1, 16): "uint16", (4, 16): "uint16", (3, 32): "float32"}
_FORMAT_NAMES = {1: "uint", 2: "int", 3: "float", 4: "undefined", 5: "complex int", 6: "complex"}
_PHOTOMETRIC_NAMES = {5: "CMYK ink", 8: "CIE L*a*b*", 9: "ICC L*a*b*", 32_803: "a raw colour mosaic"}
_PREDICTORS = {
    "uint8": (codes.NO_PREDICTOR, codes.HORIZONTAL),
    "uint16": (codes.NO_PREDICTOR, codes.HORIZONTAL),
    "float32": (codes.NO_PREDICTOR, codes.FLOATING),
}
_PALETTE_BITS = 8
_BITS_PER_BYTE = 8
_JPEG_CHANNELS = (1, 3)
WEBP_CHANNELS = (3, 4)
UNPREDICTED = ("none", "jpeg", "jpeg2000", "lerc", "webp")
_UNPREDICTED_METHODS = tuple(method for method, name in codes.COMPRESSIONS.items() if name in UNPREDICTED)


def compression_of(path: str, fields: Fields) -> str:
    """Return the name of a page's compression. Raises UnsupportedFormatError, DamagedInputError."""
    name = codes.COMPRESSIONS.get(fields.compression)
    if name is None:
        read = ", ".join(sorted(set(codes.COMPRESSIONS.values())))
        raise UnsupportedFormatError(
            f"{path} is compressed with TIFF method {fields.compression}; "
            f"{read} are read. Convert it, to deflate for example."
        )
    if name != "lerc":
        return name
    inner = fields.directory.value(codes.LERC_PARAMETERS)
    for known, number in LERC_INNER.items():
        if isinstance(inner, tuple) and len(inner) > 1 and inner[1] == number:
            return known
    raise DamagedInputError(f"{path} is compressed with LERC and its LercParameters are {inner!r:.60}.")


def value_type(path: str, fields: Fields) -> str:
    """Return the stored values' type; 1-bit images count as ``uint8``. Raises UnsupportedFormatError."""
    bits, kind = fields.bitspersample, fields.sampleformat or 1
    if (
        bits == 1
        and fields.samplesperpixel == 1
        and (not fields.is_tiled or fields.tilewidth % _BITS_PER_BYTE == 0)
    ):
        return "uint8"
    found = _TYPES.get((kind, bits)) if isinstance(bits, int) and isinstance(kind, int) else None
    if found is None:
        raise UnsupportedFormatError(
            f"{path} has values of {bits} bits, {_format_name(kind)}; "
            "uint8, uint16, float32 and 1-bit black and white are read. Convert it first."
        )
    predictor = fields.predictor
    if predictor not in _PREDICTORS[found] and fields.compression not in _UNPREDICTED_METHODS:
        raise UnsupportedFormatError(
            f"{path} uses TIFF predictor {predictor} with {found}, which is not read."
        )
    return found


def _format_name(kind: int | tuple[int, ...]) -> str:
    return _FORMAT_NAMES.get(kind, str(kind)) if isinstance(kind, int) else f"of formats {kind}"


def conversion_of(path: str, fields: Fields, compression: str) -> str:
    """Return what must be done to stored values; see TiffPage. Raises UnsupportedFormatError."""
    photometric = fields.photometric
    packed = fields.bitspersample == 1
    if photometric == codes.PALETTE:
        if fields.bitspersample != _PALETTE_BITS or fields.samplesperpixel != 1:
            raise UnsupportedFormatError(
                f"{path} has a palette with {fields.bitspersample} bits and "
                f"{fields.samplesperpixel} channels; palettes of 8 bits and one channel are read. "
                "Convert it to RGB."
            )
        return "palette"
    if photometric == codes.WHITE_IS_ZERO:
        if fields.sampleformat == codes.FLOAT:
            raise UnsupportedFormatError(
                f"{path} has floats of which the smallest is white; convert it first."
            )
        return "inverted bits" if packed else "invert"
    if photometric in (codes.BLACK_IS_ZERO, codes.RGB) or (
        photometric == codes.YCBCR and compression == "jpeg"
    ):
        return "bits" if packed else "none"
    raise UnsupportedFormatError(
        f"{path} stores {_PHOTOMETRIC_NAMES.get(photometric, f'colour of kind {photometric}')}; "
        "gray, RGB, palettes and JPEG colour are read. Convert it to RGB."
    )


def jpeg_colour(fields: Fields, planes: int) -> str:
    """Return how JPEG segments code colour."""
    if planes > 1 or fields.samplesperpixel == 1:
        return "gray"
    return "ycbcr" if fields.photometric == codes.YCBCR else "rgb"


def check_codec(page: TiffPage) -> None:
    """Refuse pixels that a compression does not hold; raises UnsupportedFormatError."""
    if page.compression == "jpeg":
        _check_jpeg(page)
    kind = f"{page.segment_samples} channels of {page.dtype.name}"
    if page.compression == "webp" and (page.dtype != np.uint8 or page.segment_samples not in WEBP_CHANNELS):
        raise UnsupportedFormatError(f"{page.path} is WebP-compressed with {kind}; 3 or 4 of uint8 are read.")
    if page.compression == "jpeg2000" and (page.dtype.kind != "u" or "bits" in page.conversion):
        raise UnsupportedFormatError(f"{page.path} is JPEG 2000 with {kind}; uint8 and uint16 are read.")
    if page.compression in LERC_INNER and "bits" in page.conversion:
        raise UnsupportedFormatError(f"{page.path} is LERC-compressed black and white. Convert it first.")


def _check_jpeg(page: TiffPage) -> None:
    if page.segment_samples not in _JPEG_CHANNELS or page.dtype.itemsize != 1 or "bits" in page.conversion:
        raise UnsupportedFormatError(
            f"{page.path} is JPEG-compressed with {page.segment_samples} channels of "
            f"{8 * page.dtype.itemsize} bits; 1 or 3 channels of 8 bits are read. Convert it to deflate."
        )


def palette_of(path: str, fields: Fields) -> NDArray[np.uint8]:
    """Return the palette as 256 × 3 values of 8 bits; raises DamagedInputError where there is none."""
    colours = fields.colormap
    if colours.shape != (3, 1 << _PALETTE_BITS):
        raise DamagedInputError(f"{path} should have a palette of 256 colours and has {colours.shape[-1:]}.")
    return np.ascontiguousarray((colours >> _PALETTE_BITS).T.astype(np.uint8))
