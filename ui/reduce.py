"""Program that makes a small PNG of an image file, run in a disposable process under limits.

``python -m ui.reduce FILE LONGEST_PX`` writes the PNG to stdout, which has to be a pipe: no file can
be written. Where there is no picture, a line fit for a person goes to stderr and the exit code is 3.
Decoders meet whatever people upload, so none of this runs in the page itself.
"""

import io
import resource
import sys
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

MOST_BYTES = 256 << 20
"""What is decoded at once at most; JPEG is decoded reduced, TIFF a piece at a time."""
REFUSED_EXIT_CODE = 3
DATA_BYTES = 448 << 20
"""Private memory of the process; files of any size may be mapped beside it."""
CPU_S = 9
_COLOUR, _ALPHA = 3, 4
_PILLOW_BYTES_PER_PX = 4
_SCALED = ("L", "RGB", "RGBA")


class RefusedError(Exception):
    """Raised with a sentence for a person when no small picture can be made."""


def _check_size(decoded_bytes: int) -> None:
    """Refuse images whose decoding would take too much memory."""
    if decoded_bytes > MOST_BYTES:
        raise RefusedError(
            f"This image takes {decoded_bytes / 1e6:,.0f} MB to decode; previews are made of those that take "
            f"up to {MOST_BYTES / 1e6:,.0f} MB. Download it to look at it."
        )


def to_display(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    """Return rows × columns (× 3 or 4) bytes for the eye; 16 bit keeps the high byte.

    Floats within 0 to 1 are shown as they are; values beyond that, and other types (``uint32``
    labels), are stretched from their minimum to their maximum. Of two channels the first is shown,
    of more than four the first three.
    """
    channels = pixels.shape[2] if pixels.ndim == 3 else 1  # noqa: PLR2004  (rows, columns, channels)
    if pixels.ndim == 3 and channels < _COLOUR:  # noqa: PLR2004
        pixels = pixels[:, :, 0]
    elif channels > _ALPHA:
        pixels = pixels[:, :, :_COLOUR]
    if pixels.dtype == np.uint8:
        return np.ascontiguousarray(pixels)
    if pixels.dtype == np.uint16:
        return (pixels >> 8).astype(np.uint8)
    values = np.nan_to_num(pixels.astype(np.float64), posinf=0.0, neginf=0.0)
    low, high = float(values.min()), float(values.max())
    if low < 0 or high > 1:
        values = (values - low) / max(high - low, np.finfo(float).tiny)
    return np.rint(values * 255).astype(np.uint8)


def read_tiff(path: Path, longest_px: int) -> Image.Image:
    """Read about every n-th row and column of a TIFF's first page."""
    with tifffile.TiffFile(path) as file:
        page = file.pages.first
        # Twice as many pixels as wanted, so that the final reduction can average.
        step = max(1, max(page.imagelength, page.imagewidth) // (2 * longest_px))
        if page.is_memmappable and page.planarconfig == tifffile.PLANARCONFIG.CONTIG:
            small = np.array(tifffile.memmap(path, page=0, mode="r")[::step, ::step])
        else:
            rows = page.tilelength if page.is_tiled else min(page.rowsperstrip, page.imagelength)
            columns = page.tilewidth if page.is_tiled else page.imagewidth
            _check_size(rows * columns * page.samplesperpixel * np.dtype(page.dtype).itemsize)
            small = _sampled(page, step)
    return Image.fromarray(to_display(small))


def _sampled(page: Any, step: int) -> NDArray[Any]:  # noqa: ANN401  (tifffile's pages have no common type)
    """Return every ``step``-th row and column, decoding one strip or tile at a time."""
    planes = page.samplesperpixel if page.planarconfig == tifffile.PLANARCONFIG.SEPARATE else 1
    depth = page.samplesperpixel // planes
    shape = (-(-page.imagelength // step), -(-page.imagewidth // step), page.samplesperpixel)
    small = np.zeros(shape, page.dtype)
    for segment, (plane, _, top, left, _), _ in page.segments(maxworkers=1):
        if segment is None:  # a sparse file stores nothing for zeros
            continue
        row, column = -(-top // step), -(-left // step)
        piece = segment[0, row * step - top :: step, column * step - left :: step]
        target = small[row:, column:, plane : plane + depth][: piece.shape[0], : piece.shape[1]]
        target[...] = piece[: target.shape[0], : target.shape[1]]
    return small


def read_raster(path: Path, longest_px: int) -> Image.Image:
    """Read PNG, JPEG, WebP or BMP, JPEG at an eighth of its size where that is enough."""
    with Image.open(path) as image:
        image.draft("RGB", (2 * longest_px, 2 * longest_px))
        _check_size(_PILLOW_BYTES_PER_PX * image.width * image.height)
        image.load()
        if image.mode.startswith("I"):
            return Image.fromarray(to_display(np.asarray(image).astype(np.uint16)))
        if image.mode in _SCALED:  # before a copy is made of all of it
            image.thumbnail((2 * longest_px, 2 * longest_px), Image.Resampling.BOX)
        return image.convert("RGBA" if image.has_transparency_data else "RGB" if image.mode != "L" else "L")


def reduced(path: Path, longest_px: int) -> bytes:
    """Return a PNG of the image whose longer side is at most ``longest_px``.

    Raises
    ------
    RefusedError
        if the file is no image that can be shown, or too large for that.

    """
    Image.MAX_IMAGE_PIXELS = None  # _check_size decides, before anything is decoded
    try:
        with path.open("rb") as file:
            is_tiff = file.read(2) in {b"II", b"MM"}
        image = read_tiff(path, longest_px) if is_tiff else read_raster(path, longest_px)
    except UnidentifiedImageError as error:
        raise RefusedError("This file is not an image that can be shown.") from error
    except (RefusedError, MemoryError):
        raise
    except Exception as error:
        # Parsers of other people's raise whatever they stumble over.
        raise RefusedError("This file is damaged, or of a kind that cannot be shown.") from error
    image.thumbnail((longest_px, longest_px), Image.Resampling.BOX)
    out = io.BytesIO()
    image.save(out, "PNG", compress_level=1)
    return out.getvalue()


def main(argv: list[str]) -> int:
    """Run the program; see the module's text."""
    resource.setrlimit(resource.RLIMIT_DATA, (DATA_BYTES, DATA_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    try:
        png = reduced(Path(argv[0]), int(argv[1]))
    except RefusedError as error:
        sys.stderr.write(f"{error}\n")
        return REFUSED_EXIT_CODE
    except MemoryError:
        sys.stderr.write("This image is too large for a preview. Download it to look at it.\n")
        return REFUSED_EXIT_CODE
    sys.stdout.buffer.write(png)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
