"""What is fuzzed: functions of bytes in which only errors of the project may be raised.

Each comes with sound examples to begin with.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from mpi_stage.contract import Budget, RankReport, Report, Request, check_event, encode, error_of
from mpi_stage.errors import PipelineError, StageError
from mpi_stage.formats.memory import MemorySource
from mpi_stage.formats.options import SinkOptions, SourceOptions
from mpi_stage.formats.tiff.header import parse_tiff
from mpi_stage.formats.tiff.pages import list_pages
from mpi_stage.image import ImageSpec
from mpi_stage.operations.catalogue import OPERATIONS
from mpi_stage.operations.spelling.grammar import parse, to_json, to_text
from mpi_stage.planning.planned_steps import plan_steps
from mpi_stage.rank.planned import plan_image

_SPEC = ImageSpec(300, 400, 3, "uint8")
_PLANES = (None, "z=1", "c=0,t=1")
_PIPELINES = (
    ["invert"],
    ["gaussian:sigma=2", "grayscale", "canny:low=50,high=150"],
    ["resize:width=50", "normalize"],
    ["median:size=5", "otsu"],
    ["label"],
)
_NAMES = ("out.tif", "out.cog.tif", "out.png", "out.zarr", "out.jpg")


class Target(NamedTuple):
    """A function of bytes, and examples of what it takes."""

    run: Callable[[bytes], object]
    seeds: Callable[[], Iterator[bytes]]


def grammar(data: bytes) -> None:
    """Read a pipeline, write it in every spelling and read those, and plan it for an image."""
    text = data.decode("utf-8", "surrogateescape")
    try:
        steps = parse(text)
    except PipelineError:
        return
    if not steps:
        return
    for spelling in (to_text(steps), json.dumps(to_json(steps)), to_json(steps)):
        again = parse(spelling)
        # Not by the steps: a parameter may be NaN.
        if to_text(again) != to_text(steps):
            raise AssertionError(f"{text!r} became {to_text(steps)!r} and then {to_text(again)!r}")
    with suppress(StageError):
        list(plan_steps(steps, _SPEC))


def _grammar_seeds() -> Iterator[bytes]:
    yield from (" ".join(one).encode() for one in _PIPELINES)
    yield b'[{"op": "gaussian", "sigma": 2}, {"preset": "edges"}]'
    yield from (f"@edges {operation.name}:border=wrap".encode() for operation in OPERATIONS)
    for operation in OPERATIONS:
        words = ",".join(
            f"{one.name}={one.default}" for one in operation.parameters if one.default is not None
        )
        yield f"{operation.name}:{words}".encode()


def planner(data: bytes) -> None:
    """Read the directories of a TIFF, and plan a pipeline for the image in it."""
    if not data:
        return
    choice, file = data[0], MemorySource("in.tif", data[1:])
    options = SourceOptions(page=choice & 1, level=choice >> 1 & 1, plane=_PLANES[choice >> 2 & 3 and 1])
    steps = _PIPELINES[choice % len(_PIPELINES)]
    with suppress(StageError):
        list_pages(file, 4)
    with suppress(StageError):
        header, _ = parse_tiff(file, options)
        request = Request(
            "j", "in.tif", "", _NAMES[choice % 5], steps, budget=Budget(pixels=10**11, ratio=10**4)
        )
        for ranks in (1, 7):
            plan_image(request, parse(steps), header, SinkOptions(), ranks=ranks, program_bytes=0)


def _planner_seeds() -> Iterator[bytes]:
    import tempfile  # noqa: PLC0415  (fuzzing alone)

    from good import good_files  # noqa: PLC0415  (it writes with libraries that are slow to load)

    with tempfile.TemporaryDirectory() as folder:
        for number, path in enumerate(good_files(Path(folder))):
            if path.suffix == ".tif":
                yield bytes([number]) + path.read_bytes()


def contract(data: bytes) -> None:
    """Read a line of the protocol as either side does."""
    try:
        message = json.loads(data)
    except (ValueError, RecursionError):
        return
    with suppress(StageError):
        request = Request.from_json(message)
        if Request.from_json(json.loads(encode(request.to_json()))) != request:
            raise AssertionError(f"{request} does not come back")
        parse(request.steps)
    with suppress(StageError):
        encode(Report.from_json(message).to_json())
    try:
        check_event(message)
    except ValueError:
        return
    if message["event"] == "error":
        error_of(message)
    elif message["event"] == "report":
        with suppress(StageError):
            Report.from_json(message["report"])


def _contract_seeds() -> Iterator[bytes]:
    request = Request(
        "j", "in.tif", "out.tif", "out.tif", [{"op": "invert"}], budget=Budget(pixels=9, ratio=9)
    )
    rank = RankReport(0, "host", 10, {"read": 0.5}, 1, 2, 3, 4, 5, 6)
    report = Report("j", "hash", [rank], "cpu", 10, 10, 3, "uint8", "digest", 300, 0.5)
    messages: list[dict[str, Any]] = [
        request.to_json(),
        report.to_json(),
        {"event": "hello", "rank": 0, "ranks": 1, "pid": 7},
        {"event": "planned", "job": "j", "plan": {}},
        {"event": "progress", "job": "j", "rank": 0, "rows_done": 1, "rows_total": 2},
        {"event": "report", "job": "j", "report": report.to_json()},
        {"event": "error", "job": "j", "rank": 0, "kind": "LimitError", "message": "m"},
    ]
    yield from map(encode, messages)


TARGETS = {
    "grammar": Target(grammar, _grammar_seeds),
    "planner": Target(planner, _planner_seeds),
    "contract": Target(contract, _contract_seeds),
}
