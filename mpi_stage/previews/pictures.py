"""One preview of an image that is open: the pictures, and what is told of them."""

import base64
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from mpi_stage.contract import Request, View
from mpi_stage.errors import StageError
from mpi_stage.formats.headers import Header
from mpi_stage.geometry.window import Window, all_of, piece
from mpi_stage.image import ImageSpec, Pixels
from mpi_stage.operations.spelling.grammar import Step, parse
from mpi_stage.planning.plan import spec_json
from mpi_stage.planning.planned_steps import plan_steps
from mpi_stage.previews.display import Stretch, picture_of, stretch_of
from mpi_stage.previews.evaluate import Found, Means, crop_filtered, filtered
from mpi_stage.previews.parts import Part, Trace, crop_of, cut, origin, trace
from mpi_stage.previews.reduced import fit_step, shrunk
from mpi_stage.rows.context import RankContext

WORK_BYTES = 768 << 20
"""Of memory for one preview, beside what the program has anyway: decoding included."""

QUICK_BYTES = 24 << 20
QUICK_S = 0.15
"""An image so small, and a pipeline so quick, are rather filtered as a whole than shown inexactly."""


@dataclass
class KeptImage:
    """What is kept of the image last looked at; ``small`` is the reduced copy as the file has it."""

    key: tuple[Any, ...]
    header: Header
    upright: tuple[Step, ...]
    nodata: float | None
    whole: Pixels | None = None
    small: Pixels | None = None
    no_small: str = ""
    windows: list[tuple[Window, Pixels]] = field(default_factory=list)


class Preview:
    """One preview of an image that is open."""

    def __init__(
        self,
        image: KeptImage,
        request: Request,
        view: View,
        context: RankContext,
        read: Callable[[Window], Pixels],
    ) -> None:
        self._image, self._view, self._read = image, view, read
        self._means = Means(context, WORK_BYTES, image.nodata, image.header.spec.dtype)
        self._stretch: dict[str, Stretch | None] = {}
        self._told: dict[str, Any] = {"fault": None, "reduced": {}, "crop": {}}
        spec = image.header.spec
        self._upright = cut(image.upright, spec)
        self._before = self._upright[-1].after if self._upright else spec
        self._steps = tuple(parse(request.steps, default_border=request.border)) if request.steps else ()
        self._parts: list[Part] = []
        self._measured: list[Found] = []

    def tell(self) -> dict[str, Any]:
        """Make the pictures; return all that there is to tell."""
        self._told["image"] = self._told["result"] = spec_json(self._before)
        small = self._reduced_before()
        try:
            self._parts = cut(self._steps, self._before)
            after = self._parts[-1].after if self._parts else self._before
            self._told["result"] = spec_json(after)
        except StageError as error:
            self._told["fault"] = error.public_message
            self._crop([], self._before, after=False)
            return self._told
        self._measured = [() for _ in self._parts]
        if small is not None:
            self._reduced_after(small)
        self._crop(self._parts, after, after=True)
        return self._told

    def _reduced_before(self) -> Pixels | None:
        """Show the reduced copy, upright."""
        small = self._image.small
        if small is None:
            self._told["reduced"]["fault"] = self._image.no_small
            return None
        for part in self._upright:
            small, _ = filtered(part, small, self._means)
        self._stretch["before"] = stretch_of(small)
        self._told["reduced"]["factor"] = max(1.0, self._before.columns / small.shape[1])
        self._told["reduced"]["before"] = self._picture("before", small, "reduced", exact=False)
        return small

    def _reduced_after(self, small: Pixels) -> None:
        """Show the reduced copy after the pipeline, and remember what its reduce steps have measured."""
        longest_px = self._view.longest_px
        try:
            for number, part in enumerate(self._parts):
                rows, columns, channels = small.shape
                spec = ImageSpec(rows, columns, channels, small.dtype.name)
                steps = tuple(fit_step(step, part.before, spec, longest_px) for step in part.steps)
                small, found = filtered(replace(part, steps=steps), small, self._means)
                self._measured[number] = _usable(part, found)
        except StageError as error:
            self._told["reduced"]["fault"] = error.public_message
            return
        self._stretch["after"] = stretch_of(small)
        shown = shrunk(small, longest_px, averaged=self._image.nodata is None)
        self._told["reduced"]["after"] = self._picture("after", shown, "", exact=False)

    def _crop(self, parts: Sequence[Part], result: ImageSpec, *, after: bool) -> None:
        """Show a crop of the result, and of the image what it is made of."""
        view = self._view
        window = crop_of(result, view.across, view.down, view.crop_columns, view.crop_rows)
        traced = trace(parts, window)
        told = self._told["crop"]
        told["window"] = _window_json(window)
        try:
            shown = origin(parts, window)
            told["before"] = self._picture("before", self._upright_crop(shown), f"crop {shown}", exact=True)
            if after:
                pixels = self._made(parts, traced, window)
                told["after"] = self._picture("after", pixels, "", exact=True)
                told["pixels_sha256"] = hashlib.sha256(pixels.tobytes()).hexdigest()
        except StageError as error:
            told["fault"] = error.public_message

    def _made(self, parts: Sequence[Part], traced: Trace, window: Window) -> Pixels:
        """Return the crop of the result: exact where that can be had, and say so."""
        told = self._told["crop"]
        told["exact"] = traced.exact
        windows, given = traced.windows, self._measured
        if not traced.exact and self._is_quick():
            told["exact"] = True
            windows = (all_of(self._before), *(all_of(part.after) for part in parts))
            given = [() for _ in parts]
        told["whole"] = [] if told["exact"] else list(traced.whole)
        told["wraps"] = [] if told["exact"] else list(traced.wraps)
        pixels = crop_filtered(parts, windows, self._upright_crop, self._means, given)
        return piece(pixels, windows[-1], window)

    def _is_quick(self) -> bool:
        """Whether all of the image may as well be filtered."""
        planned = list(plan_steps(self._steps, self._before))
        largest = max((one.after.total_bytes for one in planned), default=0)
        cost_s = sum(one.cost_s for one in planned)
        return max(largest, self._before.total_bytes) <= QUICK_BYTES and cost_s <= QUICK_S

    def _upright_crop(self, window: Window) -> Pixels:
        """Return a window of the image as people look at it."""
        if not self._upright:
            return self._read(window)
        windows = trace(self._upright, window).windows
        pixels = crop_filtered(self._upright, windows, self._read, self._means, [() for _ in windows])
        return piece(pixels, windows[-1], window)

    def _picture(self, which: str, pixels: Pixels, name: str, *, exact: bool) -> dict[str, Any]:
        """Return a picture as JSON; one with a name only where it is not known yet."""
        rows, columns = pixels.shape[:2]
        key = hashlib.sha256(repr((self._image.key, name)).encode()).hexdigest()[:16] if name else ""
        told: dict[str, Any] = {"key": key, "rows": rows, "columns": columns}
        if not key or key not in self._view.known:
            if which not in self._stretch:
                self._stretch[which] = stretch_of(pixels)
            kind, data = picture_of(pixels, self._stretch[which], exact=exact)
            told["src"] = f"data:{kind};base64,{base64.b64encode(data).decode()}"
        return told


def _usable(part: Part, found: Sequence[Any]) -> Found:
    """Return what was measured on the reduced copy and holds for a crop, wherever it is."""
    reductions = [
        one.operation.reduction
        for one in plan_steps(part.steps, part.before)
        if one.operation.reduction is not None
    ]
    return tuple(None if reduction.placed else one for reduction, one in zip(reductions, found, strict=True))


def _window_json(window: Window) -> dict[str, int]:
    return {
        "row": window.rows.first,
        "column": window.columns.first,
        "rows": window.rows.height,
        "columns": window.columns.height,
    }
