"""Small pictures of image files, made by ``ui.reduce`` in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

from ui.reduce import REFUSED_EXIT_CODE

LONGEST_PX = 640
TIMEOUT_S = 30
_TOO_HARD = "This image takes too long or too much memory for a preview. Download it to look at it."


class NoPreviewError(Exception):
    """Raised with a sentence for a person when there is no small picture of a file."""


def preview(path: Path, longest_px: int = LONGEST_PX) -> bytes:
    """Return a PNG of the image file, its longer side at most ``longest_px``.

    Raises
    ------
    NoPreviewError
        if the file cannot be shown: no image, damaged, or too large.

    """
    try:
        done = subprocess.run(
            [sys.executable, "-m", "ui.reduce", str(path), str(longest_px)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=TIMEOUT_S,
            check=False,
            # A thread pool of the linear algebra library would only eat address space.
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
        )
    except subprocess.TimeoutExpired as error:
        raise NoPreviewError(_TOO_HARD) from error
    if done.returncode == 0:
        return done.stdout
    if done.returncode == REFUSED_EXIT_CODE:
        raise NoPreviewError(done.stderr.decode(errors="replace").strip().splitlines()[-1])
    raise NoPreviewError(_TOO_HARD)
