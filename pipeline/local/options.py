"""How an image is to be filtered on this machine, and the request to the stage that says so."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from pipeline.worlds.launch import cores

if TYPE_CHECKING:
    from mpi_stage.contract import Request

Words = Sequence[str] | Sequence[dict[str, Any]]

_JOB = "local"


class RunOptions(NamedTuple):
    """How a pipeline is to be run; None leaves the choice to the plan or the input.

    Attributes
    ----------
    ranks: MPI ranks; the cores this process may use if None.
    device: ``auto``, ``cpu`` or ``gpu``.
    border: for the steps that take one and state none; each operation's own if None.
    memory_bytes: the most anonymous memory that one rank may use; the stage's default if None.
    block_rows: rows processed at once.
    format: of the output, ``cog`` for instance, whatever its suffix says.
    compression, quality, tile: for the output; ``tile`` is the edge of a square tile in pixels.
    page, plane, level: which image of the input: the number of its page, or an OME plane such as
        ``z=3,c=1``, and the level of its pyramid.
    digest: whether the report is to hold the digest of the output's pixels.
    """

    ranks: int | None = None
    device: str = "auto"
    border: str | None = None
    memory_bytes: int | None = None
    block_rows: int | None = None
    compression: str | None = None
    quality: int | None = None
    tile: int | None = None
    format: str | None = None
    page: int = 0
    plane: str | None = None
    level: int = 0
    digest: bool = True

    def request(self, steps: Words, **places: Any) -> "Request":  # noqa: ANN401  (typed in Request)
        """Return the request to the stage.

        Words are left to the stage, so that the catalogue is not loaded here too. Raises PipelineError
        where a pipeline in JSON is wrong.
        """
        from mpi_stage.contract import DEFAULT_MEMORY_BYTES, Request  # noqa: PLC0415  (while the ranks start)

        return Request(
            job=_JOB,
            steps=_told(steps, self.border),
            border=self.border,
            device=self.device,
            memory_bytes=DEFAULT_MEMORY_BYTES if self.memory_bytes is None else self.memory_bytes,
            block_rows=self.block_rows,
            compression=self.compression,
            quality=self.quality,
            tile=self.tile,
            format=self.format,
            page=self.page,
            plane=self.plane,
            level=self.level,
            threads=max(1, cores() // (self.ranks or cores())),
            digest=self.digest,
            **places,
        )


def _told(steps: Words, border: str | None) -> list[str] | list[dict[str, Any]]:
    words = [step for step in steps if isinstance(step, str)]
    if len(words) == len(steps):
        return words
    from mpi_stage.operations.spelling.grammar import parse, to_json  # noqa: PLC0415  (slow, and rarely needed here)

    return to_json(parse(steps, default_border=border))
