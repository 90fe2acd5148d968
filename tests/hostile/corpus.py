"""Images that installed packages ship, or that lie in a folder: none of them made by us."""

import os
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

ENDINGS = (".png", ".tif", ".tiff", ".jpg", ".jpeg", ".jp2", ".j2k", ".webp", ".avif", ".bmp", ".gif", ".ico")
PACKAGES = ("PIL", "skimage", "tifffile", "imageio", "scipy", "rasterio", "streamlit", "networkx", "ray")
MOST_BYTES = 64 << 20


def folders() -> list[Path]:
    """Return the packages' folders, and those that HALOROW_CORPUS names, separated by colons."""
    found = [find_spec(name) for name in PACKAGES]
    named = [Path(place) for place in os.environ.get("HALOROW_CORPUS", "").split(":") if place]
    return [Path(str(spec.origin)).parent for spec in found if spec is not None] + named


def images() -> Iterator[Path]:
    """Yield all images of the corpus."""
    for folder in folders():
        for path in sorted(folder.rglob("*")):
            named = any(suffix.lower() in ENDINGS for suffix in path.suffixes) or not path.suffix
            if named and path.is_file() and path.stat().st_size <= MOST_BYTES and _looks_like_one(path):
                yield path


def _looks_like_one(path: Path) -> bool:
    """Whether a file without an ending that says so begins like an image."""
    if path.suffix:
        return True
    with path.open("rb") as file:
        return file.read(4) in {b"\x89PNG", b"II*\x00", b"MM\x00*", b"RIFF"}
