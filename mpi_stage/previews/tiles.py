"""Tiles of one image after another, at any reduction, as a viewer asks for them that zooms and moves.

A tile is read of the smallest level of the file's own pyramid that will do, or of the image itself; the far
reductions of an image without one come of a copy that is made once and kept.
"""

import base64
from dataclasses import dataclass, replace
from typing import Any

from mpi_stage.contract import Request, Tile
from mpi_stage.errors import LimitError, ParameterError
from mpi_stage.formats.headers import Header
from mpi_stage.formats.nodata import nodata_value
from mpi_stage.geometry.window import Window, piece
from mpi_stage.image import Pixels
from mpi_stage.planning.budget import check_header
from mpi_stage.planning.placed import upright_steps
from mpi_stage.planning.plan import spec_json
from mpi_stage.previews.display import encoded
from mpi_stage.previews.evaluate import Means, crop_filtered, filtered
from mpi_stage.previews.levels import MOST_READ_BYTES, Shape, best_level, small_factor, tile_window
from mpi_stage.previews.opening import decoded, hold_to, levels_of, opened
from mpi_stage.previews.parts import Part, cut, trace
from mpi_stage.previews.reduced import level_for, read_reduced, shrunk, window_reader
from mpi_stage.previews.tones import histogram, shown, stretch_for
from mpi_stage.rows.context import RankContext

WORK_BYTES = 1 << 30
"""Of memory beside what the program has anyway: decoding and what is kept."""

KEPT_BYTES = 400 << 20
"""An image that can only be decoded as a whole is kept decoded up to this size, a reduced copy too."""


@dataclass
class _Image:
    """What is kept of the image last looked at; ``small`` is its copy at the level ``factor``."""

    key: tuple[Any, ...]
    header: Header
    shape: Shape
    upright: tuple[Part, ...]
    means: Means
    levels: list[tuple[int, int]]
    factor: int
    whole: Pixels | None = None
    small: Pixels | None = None

    @property
    def averaged(self) -> bool:
        """Whether neighbouring pixels may be averaged: not where values have meanings."""
        return self.means.nodata is None


class TileDesk:
    """Makes tiles; for a rank that is alone in its world."""

    def __init__(self, context: RankContext) -> None:
        """Keep nothing yet."""
        self._context = context
        self._image: _Image | None = None

    def tile(self, request: Request, tile: Tile) -> dict[str, Any]:
        """Return a tile as JSON, or with the factor 0 what is known of the image, see ``contract.Tile``.

        Raises the stage's errors: LimitError for what would take too much, ParameterError for a tile that
        is none of the image's.
        """
        hold_to(WORK_BYTES, request)
        image = self._open(request, tile)
        if tile.factor == 0:
            return self._survey(request, image)
        pixels = self._pixels(request, image, tile)
        stretch = (tile.low, tile.high) if tile.low < tile.high else None
        made = encoded(shown(pixels, stretch), "png")
        return {"png": base64.b64encode(made).decode(), "rows": pixels.shape[0], "columns": pixels.shape[1]}

    def _survey(self, request: Request, image: _Image) -> dict[str, Any]:
        """Return size, tones and histogram, of the reduced copy."""
        small = self._small(request, image)
        columns, rows = image.shape.columns, image.shape.rows
        spec = replace(image.header.spec, rows=rows, columns=columns)
        return {
            "image": spec_json(spec),
            "levels": [list(size) for size in image.levels],
            "factor": image.factor,
            "stretch": stretch_for(small),
            "histogram": histogram(small),
        }

    def _open(self, request: Request, tile: Tile) -> _Image:
        key = (request.input, tile.generation, request.page, request.plane, request.level)
        if self._image is not None and self._image.key == key:
            return self._image
        self._image = None
        with opened(request, self._context.clock) as source:
            header = source.header
            check_header(request.input, header, request.budget)
            upright = tuple(cut(upright_steps(header.metadata), header.spec))
            means = Means(
                self._context,
                WORK_BYTES,
                nodata_value(header.metadata.nodata, header.spec.dtype),
                header.spec.dtype,
            )
            after = upright[-1].after if upright else header.spec
            shape = Shape(after.columns, after.rows, after.channels * after.itemsize)
            levels = [] if upright else levels_of(request)
            image = _Image(key, header, shape, upright, means, levels, small_factor(shape, tile.side))
            whole = decoded(source, KEPT_BYTES)
            if whole is not None:
                for part in upright:
                    whole, _ = filtered(part, whole, means)
                image.whole = whole
        self._image = image
        return image

    def _pixels(self, request: Request, image: _Image, tile: Tile) -> Pixels:
        """Return a tile's pixels, as the image has them."""
        shape, factor, place = image.shape, tile.factor, (tile.column, tile.row)
        if factor & (factor - 1):
            raise ParameterError(f"an image is not reduced {factor} times; 1, 2, 4, 8… are known")
        try:
            if image.whole is not None:
                window = tile_window((shape.columns, shape.rows), factor, place, tile.side)
                return self._reduced(image, _part_of(image.whole, window), factor)
            level, own = best_level(shape, image.levels, factor)
            window = tile_window(shape.at(own), factor // own, place, tile.side)
            if factor >= image.factor and window.pixels * shape.pixel_bytes > MOST_READ_BYTES // 8:
                ratio = factor // image.factor
                window = tile_window(shape.at(image.factor), ratio, place, tile.side)
                return self._reduced(image, _part_of(self._small(request, image), window), ratio)
        except ValueError as error:
            raise ParameterError(str(error)) from error
        if window.pixels * shape.pixel_bytes > 2 * MOST_READ_BYTES or not image.header.divisible:
            raise _too_large(shape, 2 * MOST_READ_BYTES)
        return self._reduced(image, self._read(request, image, window, level), factor // own)

    def _reduced(self, image: _Image, pixels: Pixels, ratio: int) -> Pixels:
        """Return pixels reduced, the last of a row or column standing for what is left."""
        rows, columns = (-(-length // ratio) for length in pixels.shape[:2])
        return shrunk(pixels, max(rows, columns), averaged=image.averaged) if ratio > 1 else pixels

    def _read(self, request: Request, image: _Image, window: Window, level: int) -> Pixels:
        """Return a window of a level of the file, upright."""
        with opened(request, self._context.clock, level) as source:
            read = window_reader(source)
            if not image.upright:
                return read(window)
            windows = trace(image.upright, window).windows
            made = crop_filtered(image.upright, windows, read, image.means, [() for _ in windows])
            return piece(made, windows[-1], window)

    def _small(self, request: Request, image: _Image) -> Pixels:
        """Return the reduced copy, upright, made when it is first needed."""
        if image.small is not None:
            return image.small
        longest_px = max(image.shape.at(image.factor))
        if longest_px**2 * image.shape.pixel_bytes > KEPT_BYTES and not image.levels[1:]:
            raise _too_large(image.shape, KEPT_BYTES)
        if image.whole is not None:
            image.small = shrunk(image.whole, longest_px, averaged=image.averaged)
            return image.small
        level = level_for(image.levels, longest_px) if image.levels else 0
        with opened(request, self._context.clock, level) as source:
            small = read_reduced(source, longest_px)
        for part in image.upright:
            small, _ = filtered(part, small, image.means)
        image.small = small
        return small


def _too_large(shape: Shape, most_bytes: int) -> LimitError:
    """Return the refusal of an image of which more than ``most_bytes`` would be decoded for one tile."""
    return LimitError(
        f"this image of {shape.columns} × {shape.rows} px has no smaller levels, and is too large to be "
        f"zoomed into without, of at most {most_bytes / 1e6:.0f} MB at a time; have the result written with "
        "levels (format=cog), or download it"
    )


def _part_of(pixels: Pixels, window: Window) -> Pixels:
    rows, columns = window
    rows_end, columns_end = min(rows.end, pixels.shape[0]), min(columns.end, pixels.shape[1])
    return pixels[min(rows.first, rows_end - 1) : rows_end, min(columns.first, columns_end - 1) : columns_end]
