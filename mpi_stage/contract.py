"""The contract between the stage and whoever starts it: requests in, events out, as JSON lines.

A rank is started with ``python -m mpi_stage --control PATH``, where PATH is a listening Unix socket.
It connects and says ``{"event": "hello", "rank": r, "ranks": n, "pid": p}``. Every rank is then sent
the same request lines::

    {"request": "run", …}                fields of :class:`Request`
    {"request": "plan", "ranks": n, …}   the same; only the header is read, for a world of n ranks
    {"request": "digest", …}             the same; of the input's pixels, nothing is written
    {"request": "preview", "view": {…}, …}  the same, to a world of one rank; nothing is written
    {"request": "tile", "look": {…}, …}  the same, to a world of one rank; nothing is written
    {"request": "token", "token": …}     while a run is going on: the access token from now on
    {"request": "stop"}                  leave the loop and exit 0

and answers with event lines::

    {"event": "planned", "job": id, "plan": {…}}                        rank 0; see Plan.to_json
    {"event": "progress", "job": id, "rank": r, "rows_done": a, "rows_total": b,
     "bands": n, "bands_done": [[first, end], …]}     the last two where bands are kept
    {"event": "report", "job": id, "report": {…}}                       rank 0; the job is done
    {"event": "digested", "job": id, "pixels_sha256": …}                rank 0
    {"event": "previewed", "job": id, "preview": {…}}                   see :class:`View`
    {"event": "tiled", "job": id, "tile": {…}}                          see :class:`Tile`
    {"event": "error", "job": id, "rank": r, "kind": …, "message": …, "retryable": …, "exit_code": …}

A job is done when its report says so, never because a process exited with 0. The end of the control
connection ends the rank at once, in the middle of a job too: no rank outlives its supervisor.
"""

import json
from dataclasses import dataclass, field, fields
from typing import Any, Self

from mpi_stage.errors import StageError, from_name
from mpi_stage.shapes import fits, misfits

CONTRACT_VERSION = 3
DEFAULT_MEMORY_BYTES = 1 << 30


class _Message:
    """Conversion of the dataclasses below from JSON objects, ignoring nothing."""

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Build the message; raises StageError on missing or unknown fields, and on those of a wrong type."""
        _check_object(cls.__name__, data)
        names = {f.name for f in fields(cls)}  # type: ignore[arg-type]  # the subclasses are dataclasses
        unknown = sorted(set(data) - names)
        if unknown:
            raise StageError(f"{cls.__name__} has no field {', '.join(unknown)}; known are {sorted(names)}")
        wrong = misfits(cls, data)
        if wrong:
            raise StageError(f"{cls.__name__}: {'; '.join(wrong)}")
        try:
            return cls(**data)
        except TypeError as error:
            raise StageError(f"{cls.__name__} is incomplete: {error}") from error

    def to_json(self) -> dict[str, Any]:
        """Return the message as a JSON object, which shares its lists and objects with the message."""
        return {name: _plain(value) for name, value in vars(self).items()}


def _check_object(name: str, data: Any) -> None:  # noqa: ANN401  (any JSON)
    if not isinstance(data, dict):
        raise StageError(f"{name} should be a JSON object, and is {data!r:.60}")


def _plain(value: Any) -> Any:  # noqa: ANN401  (whatever a field holds)
    """Return a field's value as JSON has it."""
    if isinstance(value, _Message):
        return value.to_json()
    if isinstance(value, list) and any(isinstance(one, _Message) for one in value):
        return [_plain(one) for one in value]
    return value


@dataclass(frozen=True)
class Access(_Message):
    """How ranks reach a bucket of Google Cloud Storage; its ``repr`` hides the token.

    Attributes
    ----------
    endpoint: the address of the service.
    token: a short-lived access token; None for none, as a public bucket or an emulator takes it.
    retry_s: how long a request that fails is tried again without anything moving.
    stall_s: how long a connection may be silent.
    """

    endpoint: str = "https://storage.googleapis.com"
    token: str | None = field(default=None, repr=False)
    retry_s: float = 60.0
    stall_s: float = 20.0


@dataclass(frozen=True)
class Budget(_Message):
    """What one job may take beside memory; None stands for no limit.

    Attributes
    ----------
    pixels: of the input as its header declares it, and of the largest image that the pipeline makes.
    ratio: decoded bytes for each stored byte of an input, see ``mpi_stage.planning.budget``.
    decode_s: processor seconds that a decoder gets beside those that its work takes.
    """

    pixels: int | None = None
    ratio: int | None = None
    decode_s: float = 5.0

    def within(self, other: "Budget | None") -> "Budget":
        """Return what this budget and another both allow: a job's, and what is left of its user's."""
        if other is None:
            return self
        return Budget(
            pixels=_least(self.pixels, other.pixels),
            ratio=_least(self.ratio, other.ratio),
            decode_s=min(self.decode_s, other.decode_s),
        )


def _least(one: int | None, other: int | None) -> int | None:
    return other if one is None else one if other is None else min(one, other)


@dataclass(frozen=True)
class Bands(_Message):
    """Where the bands of a large output are kept, so that a later attempt takes up where this one stopped.

    Attributes
    ----------
    folder: of this attempt alone; made if it is not there. The output is ``output`` in it where it is kept
        in bands, as the report then says; else it is the request's. Nothing of it is removed on a failure.
    generation: names the input's content; bands of another are not used.
    earlier: folders of attempts before, newest first. They are removed once what is good in them has been
        taken over.
    band_bytes: pixels of a band, whatever the output's size; None for the usual, of large outputs only.
    """

    folder: str
    generation: str
    earlier: list[str] = field(default_factory=list)
    band_bytes: int | None = None


@dataclass(frozen=True)
class Request(_Message):
    """One image through one pipeline.

    Attributes
    ----------
    job: echoed in every event.
    input: path of the image, or ``gs://bucket/name#generation``.
    output: path to write, or ``gs://bucket/name``; must not exist; removed again on any failure.
    output_name: the final file name; its suffix gives the format.
    steps: the pipeline: the list of its JSON spelling, or the words of its text spelling.
    border: for the steps that take one and state none; each operation's own if None.
    device: ``auto``, ``cpu`` or ``gpu``.
    memory_bytes: the most anonymous memory that one rank may use.
    block_rows: rows processed at once; None lets the plan choose.
    scratch: folder for what does not fit in memory, made where it is not there; None for the output's.
    digest: whether to compute the digest of the output's pixels.
    format: of the output, one of ``formats.sink_plans.FORMATS``; None for the one of its suffix.
    compression, quality, tile: for the sink, ``tile`` the edge of a square one in pixels; None as the
        input has it.
    page, plane, level: which image of the input, see ``formats.base.SourceOptions``.
    threads: how many threads decode and encode on each rank.
    access: for objects; the only secret, and never written down.
    parts: ``gs://bucket/prefix`` of the parts that an object is made of, this attempt's alone; the
        output's own name and ``.parts/`` if None.
    budget: what the job may take, held against its header and its plan.
    bands: where bands are kept; None to keep none.
    """

    job: str
    input: str
    output: str
    output_name: str
    steps: list[dict[str, Any]] | list[str]
    device: str = "auto"
    memory_bytes: int = DEFAULT_MEMORY_BYTES
    block_rows: int | None = None
    scratch: str | None = None
    digest: bool = True
    compression: str | None = None
    quality: int | None = None
    border: str | None = None
    tile: int | None = None
    format: str | None = None
    page: int = 0
    plane: str | None = None
    level: int = 0
    threads: int = 1
    access: Access | None = None
    parts: str | None = None
    budget: Budget = Budget()
    bands: Bands | None = None
    version: int = CONTRACT_VERSION

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Build the request and the messages in it."""
        _check_object(cls.__name__, data)
        access, budget, bands = data.get("access"), data.get("budget"), data.get("bands")
        inner = {
            "access": Access.from_json(access) if access else None,
            "budget": Budget.from_json(budget) if budget else Budget(),
            "bands": Bands.from_json(bands) if bands else None,
        }
        return super().from_json({**data, **inner})


@dataclass(frozen=True)
class View(_Message):
    """What a preview is to show: the picture reduced, and a crop of the result at full resolution.

    The preview has the sizes of ``image`` (upright) and ``result``; ``reduced`` and ``crop`` with pictures
    ``before`` and ``after``, each with ``rows``, ``columns`` and ``src``, a data URL (of a crop a PNG), which
    is left out where its ``key`` is among ``known``; ``reduced.factor``; of the crop ``window``, whether it
    is ``exact``, the digest of its pixels, and for which operations it is not exact: those that look at the
    ``whole`` picture, and whose border ``wraps`` around it. ``fault``, of all or of one of the two, says what
    is wrong.

    Attributes
    ----------
    generation: names the input's content: what is kept in memory of another is not used.
    across, down: where in the result the crop's middle lies, from 0 to 1.
    crop_columns, crop_rows: the crop's size.
    longest_px: of the reduced copy's longer side.
    known: keys of the pictures before that need not be sent.
    """

    generation: str = ""
    across: float = 0.5
    down: float = 0.5
    crop_columns: int = 480
    crop_rows: int = 360
    longest_px: int = 640
    known: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Tile(_Message):
    """A tile of the input, upright, as it is shown: with ``rows``, ``columns`` and ``png`` (base64).

    With the factor 0 it is not a tile but what is known of all of the image: its size (``image``), the
    ``levels`` of the file, the ``factor`` of the reduced copy that the rest is of, the ``stretch`` (values
    that are shown black and white, null where bytes are shown as they are), and the ``histogram``.

    Attributes
    ----------
    generation: names the input's content: what is kept in memory of another is not used.
    factor: how many times the image is reduced, a power of two.
    column, row: the tile's place in the grid of tiles.
    side: rows and columns of a tile; those at the right and at the lower edge have fewer.
    low, high: the values that are shown black and white; equal ones where bytes are shown as they are.
    """

    generation: str = ""
    factor: int = 0
    column: int = 0
    row: int = 0
    side: int = 512
    low: float = 0.0
    high: float = 0.0


@dataclass(frozen=True)
class RankReport(_Message):
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
class Report(_Message):
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
        _check_object(cls.__name__, data)
        given = data.get("ranks", [])
        if not isinstance(given, list):
            raise StageError(f"Report: ranks is {given!r:.60}, which is no list")
        ranks = [RankReport.from_json(rank) for rank in given]
        return super().from_json({**data, "ranks": ranks})


def encode(message: dict[str, Any]) -> bytes:
    """Return one line of the protocol."""
    return json.dumps(message, separators=(",", ":"), allow_nan=False).encode() + b"\n"


def error_event(job: str, rank: int, error: BaseException) -> dict[str, Any]:
    """Return the event that tells of ``error``; one that is not ours shows only its class and text."""
    return {
        "event": "error",
        "job": job,
        "rank": rank,
        "kind": type(error).__name__,
        "message": error.public_message if isinstance(error, StageError) else repr(error),
        "retryable": error.retryable if isinstance(error, StageError) else False,
        "exit_code": error.exit_code if isinstance(error, StageError) else 1,
    }


EVENTS: dict[str, dict[str, type]] = {
    "hello": {"rank": int, "ranks": int, "pid": int},
    "planned": {"job": str, "plan": dict},
    "progress": {"job": str, "rows_done": int, "rows_total": int},
    "report": {"job": str, "report": dict},
    "digested": {"job": str, "pixels_sha256": str},
    "previewed": {"job": str, "preview": dict},
    "tiled": {"job": str, "tile": dict},
    "error": {"job": str, "kind": str, "message": str},
}
"""What a rank may say, and what the supervisor relies on of each."""

MAY_SAY: dict[str, dict[str, Any]] = {"progress": {"bands": int, "bands_done": list[list[int]]}}
"""What a rank may say as well."""


def check_event(event: Any) -> None:  # noqa: ANN401  (any JSON)
    """Raise ValueError unless ``event`` is one that a rank may send."""
    kind = event.get("event") if isinstance(event, dict) else None
    wanted = EVENTS.get(kind) if isinstance(kind, str) else None
    if wanted is None:
        raise ValueError(f"{event!r:.200} is no event")
    for name, type_ in wanted.items():
        if not fits(event.get(name), type_):
            raise ValueError(f"the event {kind} has {name} = {event.get(name)!r:.60}")
    for name, type_ in MAY_SAY.get(str(kind), {}).items():
        if name in event and not fits(event[name], type_):
            raise ValueError(f"the event {kind} has {name} = {event[name]!r:.60}")


def error_of(event: dict[str, Any]) -> StageError:
    """Return the error that an error event tells of."""
    return from_name(str(event["kind"]), str(event["message"]))
