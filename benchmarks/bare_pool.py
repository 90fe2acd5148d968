"""The peer's side of P8 and P9: decode, filter and encode with OpenCV, and nothing around it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.pool import Pool
from pathlib import Path

import cv2

QUALITY = 90
SIGMA = 2.0


def single_threaded() -> None:
    """Leave one core to each process, as in a pool every core has its own."""
    cv2.setNumThreads(1)


def filter_jpeg(paths: tuple[Path, Path]) -> None:
    """Read a JPEG, blur it, write a JPEG."""
    source, target = paths
    picture = cv2.imread(str(source), cv2.IMREAD_COLOR)
    if picture is None:
        raise RuntimeError(f"OpenCV cannot read {source}")
    blurred = cv2.GaussianBlur(picture, (0, 0), SIGMA)
    if not cv2.imwrite(str(target), blurred, [cv2.IMWRITE_JPEG_QUALITY, QUALITY]):
        raise RuntimeError(f"OpenCV cannot write {target}")


@contextmanager
def pool(processes: int) -> Iterator[Pool]:
    """Start a process per core, ready to work."""
    with get_context("spawn").Pool(processes, initializer=single_threaded) as started:
        started.map(abs, range(processes))
        yield started


def filter_all(workers: Pool, sources: Sequence[Path], folder: Path) -> None:
    """Filter every picture into a folder, in any order."""
    pairs = [(source, folder / f"{number}.jpg") for number, source in enumerate(sources)]
    for _ in workers.imap_unordered(filter_jpeg, pairs):
        pass
