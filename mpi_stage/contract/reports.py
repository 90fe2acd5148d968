"""What became of a request, and what each rank did for it."""

from dataclasses import dataclass, field
from typing import Any, Self

from mpi_stage.contract.messages import CONTRACT_VERSION, Message, check_object
from mpi_stage.errors import StageError


@dataclass(frozen=True)
class RankReport(Message):
    """What one rank did: seconds per phase, bytes sent and received over MPI, peak memory.

    ``read_bytes`` and ``written_bytes`` are those of files, scratch included, whether the disk had to
    move or not. The next four are of objects: bytes that came and went, requests, and how many of those
    were repetitions. The last three are of bands: made here, taken over from earlier attempts, and made
    again because what was found of them was not as recorded.
    """

    rank: int
    host: str
    rows: int
    seconds: dict[str, float]
    sent_bytes: int
    received_bytes: int
    peak_anon_bytes: int
    spilled_bytes: int
    read_bytes: int
    written_bytes: int
    fetched_bytes: int = 0
    uploaded_bytes: int = 0
    requests: int = 0
    retries: int = 0
    bands_made: int = 0
    bands_reused: int = 0
    bands_refused: int = 0


@dataclass(frozen=True)
class Report(Message):
    """What became of a request.

    ``pixels_sha256`` is defined in ``mpi_stage.rows.digest``; None if it was not asked for. ``measured``
    holds what reduce and global steps found out, for instance Otsu's threshold, by step.
    ``metadata_kept`` names the metadata of the input that the output has, ``metadata_adjusted`` what
    was changed in them and ``metadata_dropped`` why others are missing. ``notes`` are what else people
    should know, for instance which steps ignored the input's nodata value. ``band_rows`` are the rows of a
    band, 0 where the output was not kept in bands.
    """

    job: str
    plan_hash: str
    ranks: list[RankReport]
    device: str
    rows: int
    columns: int
    channels: int
    dtype: str
    pixels_sha256: str | None
    output_bytes: int
    seconds: float
    metadata_kept: list[str] = field(default_factory=list)
    metadata_adjusted: dict[str, str] = field(default_factory=dict)
    metadata_dropped: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    measured: dict[str, Any] = field(default_factory=dict)
    band_rows: int = 0
    version: int = CONTRACT_VERSION

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Build the report and the ranks' reports in it."""
        check_object(cls.__name__, data)
        given = data.get("ranks", [])
        if not isinstance(given, list):
            raise StageError(f"Report: ranks is {given!r:.60}, which is no list")
        ranks = [RankReport.from_json(rank) for rank in given]
        return super().from_json({**data, "ranks": ranks})
