"""Previews of one image after another, as a rank makes them that stays warm in between.

What was read of the image last looked at is kept: when only the pipeline changes, nothing is decoded again.
"""

import time
from typing import Any

from mpi_stage.contract import Request, View
from mpi_stage.errors import LimitError, StageError
from mpi_stage.formats.nodata import nodata_value
from mpi_stage.formats.ports import Source
from mpi_stage.geometry.partition import Rows
from mpi_stage.geometry.window import Window, all_of, piece
from mpi_stage.image import ImageSpec, Pixels
from mpi_stage.planning.budget import check_header
from mpi_stage.planning.placed import upright_steps
from mpi_stage.previews.opening import decoded, hold_to, levels_of, opened
from mpi_stage.previews.pictures import WORK_BYTES, KeptImage, Preview
from mpi_stage.previews.reduced import level_for, read_reduced, shrunk, window_reader
from mpi_stage.rows.context import RankContext

KEPT_BYTES = 192 << 20
"""An image that can only be decoded as a whole is kept decoded up to this size."""

KEPT_WINDOWS = 4
SPARE_PX = 32
"""Read around a crop, so that a somewhat larger filter finds its pixels there already."""


class Desk:
    """Makes previews; for a rank that is alone in its world."""

    def __init__(self, context: RankContext) -> None:
        """Keep nothing yet."""
        self._context = context
        self._image: KeptImage | None = None

    def preview(self, request: Request, view: View) -> dict[str, Any]:
        """Return a preview as JSON, see ``contract``. Raises the stage's errors where the input is at fault.

        What is wrong with the pipeline, for this image, is told in ``fault``, beside the pictures before.
        """
        started = time.perf_counter()
        hold_to(WORK_BYTES, request)
        image = self._open(request, view)
        made = Preview(image, request, view, self._context, lambda window: self._read(request, window))
        told = made.tell()
        return {**told, "seconds": time.perf_counter() - started}

    def _open(self, request: Request, view: View) -> KeptImage:
        """Return the image, from the file unless it is the last one, with its reduced copy."""
        key = (request.input, view.generation, request.page, request.plane, request.level, view.longest_px)
        if self._image is not None and self._image.key == key:
            return self._image
        self._image = None
        with opened(request, self._context.clock) as source:
            header = source.header
            check_header(request.input, header, request.budget)
            nodata = nodata_value(header.metadata.nodata, header.spec.dtype)
            image = KeptImage(key, header, upright_steps(header.metadata), nodata)
            image.whole = decoded(source, KEPT_BYTES)
            try:
                image.small = self._small(request, view, image, source)
            except LimitError as error:
                image.no_small = error.public_message
        self._image = image
        return image

    def _small(self, request: Request, view: View, image: KeptImage, source: Source) -> Pixels:
        """Return the reduced copy, made of a smaller level where the file has one."""
        if image.whole is not None:
            return shrunk(image.whole, view.longest_px, averaged=image.nodata is None)
        level = level_for(levels_of(request), view.longest_px)
        if level == 0:
            return read_reduced(source, view.longest_px)
        with opened(request, self._context.clock, level) as smaller:
            return read_reduced(smaller, view.longest_px)

    def _read(self, request: Request, window: Window) -> Pixels:
        """Return some pixels of the image, from memory where they have been read lately."""
        image = self._image
        if image is None:
            raise StageError("there is no image to read of")
        spec = image.header.spec
        if image.whole is not None:
            return piece(image.whole, all_of(spec), window)
        for there, pixels in image.windows:
            if there.holds(window):
                return piece(pixels, there, window)
        spread = _spread(window, spec)
        with opened(request, self._context.clock) as source:
            pixels = window_reader(source)(spread)
        image.windows = [(spread, pixels), *image.windows[: KEPT_WINDOWS - 1]]
        return piece(pixels, spread, window)


def _spread(window: Window, spec: ImageSpec) -> Window:
    rows, columns = (
        Rows(max(0, piece.first - SPARE_PX), min(length, piece.end + SPARE_PX))
        for piece, length in zip(window, (spec.rows, spec.columns), strict=True)
    )
    return Window(rows, columns)
