"""What each kind of job gives where nothing goes wrong: in a quiet world of one rank."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from mpi_stage.contract import Request
from mpi_stage.operations.spelling.grammar import parse, to_json
from pipeline.worlds.warm import WarmWorld
from tests.chaos.workload import Kind


@dataclass(frozen=True)
class Expected:
    """The digest of the pixels, and of the whole file."""

    pixels_sha256: str
    file_sha256: str


def expected_of(kinds: list[Kind], folder: Path) -> dict[str, Expected]:
    """Run every kind once, quietly; return what came out by the kind's name."""
    folder.mkdir(parents=True, exist_ok=True)
    world = WarmWorld(1)
    try:
        return {
            kind.name: _run(world, kind, folder / f"{number}{kind.image.suffix}")
            for number, kind in enumerate(kinds)
        }
    finally:
        world.close()


def _run(world: WarmWorld, kind: Kind, output: Path) -> Expected:
    report = world.run(
        Request(
            job=output.stem,
            input=str(kind.image),
            output=str(output),
            output_name=kind.image.name,
            steps=to_json(parse(kind.steps)),
            scratch=str(output.parent),
        )
    )
    return Expected(report.pixels_sha256 or "", hashlib.sha256(output.read_bytes()).hexdigest())
