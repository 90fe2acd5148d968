"""Sound little files of every format and kind that is read, to be damaged."""

import io
from collections.abc import Callable, Iterator
from pathlib import Path

import imagecodecs
import numpy as np
import tifffile
import zarr
from PIL import Image

_SIDE = 48


def picture(channels: int, dtype: str = "uint8") -> np.ndarray:
    """Return smooth colours with noise on them, as high as wide."""
    y, x = np.mgrid[:_SIDE, :_SIDE]
    waves = [0.5 + 0.4 * np.sin(x / (5 + c)) * np.cos(y / (3 + c)) for c in range(channels)]
    values = np.dstack(waves) + np.random.default_rng(0).normal(0, 0.02, (_SIDE, _SIDE, channels))
    top = 1.0 if dtype == "float32" else np.iinfo(dtype).max
    return (np.clip(values, 0, 1) * top).astype(dtype).squeeze()


def good_files(folder: Path) -> list[Path]:
    """Write all of them into a folder; return their paths, in order."""
    for name, data in _blobs():
        (folder / name).write_bytes(data)
    for name, write in _TIFFS.items():
        write(folder / name)
    for name, options in _ZARRS.items():
        array = zarr.create_array(folder / name, shape=(_SIDE, _SIDE, 3), dtype="uint8", **options)
        array[...] = picture(3)
    return sorted(folder.iterdir())


def _blobs() -> Iterator[tuple[str, bytes]]:
    """Yield the names and bytes of files of one image."""
    exif = Image.Exif()
    exif[274], exif[270] = 6, "a picture"
    profile = bytes(128) + b"\x00\x00\x00\x00"
    for name, channels, options in (
        ("gray.png", 1, {}),
        ("rgb.png", 3, {"dpi": (72, 72), "icc_profile": profile}),
        ("rgba.png", 4, {"exif": exif}),
        ("baseline.jpg", 3, {"exif": exif, "icc_profile": profile, "comment": "words"}),
        ("progressive.jpg", 3, {"progressive": True, "quality": 90}),
        ("gray.jpg", 1, {"restart_marker_rows": 1}),
        ("lossy.webp", 3, {"exif": exif}),
        ("lossless.webp", 4, {"lossless": True}),
        ("picture.avif", 3, {"speed": 10}),
        ("rgb.bmp", 3, {}),
    ):
        yield name, _pillow(Image.fromarray(picture(channels)), name, **options)
    yield "palette.png", _pillow(Image.fromarray(picture(3)).quantize(16), "a.png", transparency=3)
    yield "palette.bmp", _pillow(Image.fromarray(picture(3)).quantize(16), "a.bmp")
    yield "bits.bmp", _pillow(Image.fromarray(picture(1)).convert("1"), "a.bmp")
    yield "ink.jpg", _pillow(Image.fromarray(picture(3)).convert("CMYK"), "a.jpg")
    yield "deep.png", bytes(imagecodecs.png_encode(picture(3, "uint16")))
    yield "deep.avif", bytes(imagecodecs.avif_encode(picture(3, "uint16") >> 6, bitspersample=10, speed=10))
    yield "rgb.jp2", bytes(imagecodecs.jpeg2k_encode(picture(3), level=40))
    yield "deep.j2k", bytes(imagecodecs.jpeg2k_encode(picture(1, "uint16"), codecformat="j2k"))


def _pillow(image: Image.Image, name: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, {"jpg": "JPEG"}.get(name.rpartition(".")[2], name.rpartition(".")[2].upper()), **options)
    return out.getvalue()


def _tiff(channels: int, dtype: str = "uint8", **options: object) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        photometric = "rgb" if channels > 2 else "minisblack"
        tifffile.imwrite(path, picture(channels, dtype), **{"photometric": photometric, **options})

    return write


def _pages(path: Path) -> None:
    """Two pages, the first with two smaller levels among its sub-directories."""
    with tifffile.TiffWriter(path) as file:
        whole = picture(3)
        file.write(whole, tile=(16, 16), subifds=2, photometric="rgb", compression="deflate")
        for step in (2, 4):
            file.write(
                np.ascontiguousarray(whole[::step, ::step]), tile=(16, 16), photometric="rgb", subfiletype=1
            )
        file.write(picture(1), photometric="minisblack")


_TILE = {"tile": (16, 16)}
_TIFFS = {
    "plain.tif": _tiff(3, rowsperstrip=7),
    "tiles.tif": _tiff(3, **_TILE),
    "deflate.tif": _tiff(3, compression="deflate", predictor=True, rowsperstrip=11),
    "lzw.tif": _tiff(1, "uint16", compression="lzw", predictor=True, **_TILE),
    "zstd.tif": _tiff(4, compression="zstd", extrasamples=["unassalpha"], **_TILE),
    "floats.tif": _tiff(1, "float32", compression="deflate", predictor=True, **_TILE),
    "packbits.tif": _tiff(1, compression="packbits", rowsperstrip=5),
    "jpeg.tif": _tiff(3, compression="jpeg", **_TILE),
    "webp.tif": _tiff(3, compression="webp", **_TILE),
    "jpeg2000.tif": _tiff(3, compression="jpeg2000", **_TILE),
    "lerc.tif": _tiff(1, "float32", compression="lerc", **_TILE),
    "big.tif": _tiff(3, bigtiff=True, compression="deflate", byteorder=">", **_TILE),
    "planes.tif": lambda path: tifffile.imwrite(
        path,
        np.moveaxis(picture(3), 2, 0).copy(),
        planarconfig="separate",
        photometric="rgb",
        compression="lzw",
    ),
    "volume.ome.tif": lambda path: tifffile.imwrite(
        path, np.stack([picture(1)] * 3), ome=True, metadata={"axes": "ZYX"}, photometric="minisblack"
    ),
    "bits.tif": lambda path: tifffile.imwrite(path, picture(1) > 99, photometric="minisblack"),
    "pages.tif": _pages,
}
_ZARRS = {
    "plain.zarr": {"chunks": (16, 16, 3), "compressors": None},
    "zstd.zarr": {"chunks": (16, 16, 3), "compressors": zarr.codecs.ZstdCodec()},
    "gzip.zarr": {"chunks": (16, 16, 1), "compressors": zarr.codecs.GzipCodec()},
    "blosc.zarr": {"chunks": (16, 16, 3), "compressors": zarr.codecs.BloscCodec()},
    "shards.zarr": {"chunks": (16, 16, 3), "shards": (48, 48, 3), "compressors": zarr.codecs.ZstdCodec()},
}
