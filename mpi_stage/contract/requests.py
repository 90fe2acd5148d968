"""What the stage is asked for: an image through a pipeline, or something to look at."""

from dataclasses import dataclass, field
from typing import Any, Self

from mpi_stage.contract.messages import CONTRACT_VERSION, Message, check_object

DEFAULT_MEMORY_BYTES = 1 << 30


@dataclass(frozen=True)
class Access(Message):
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
class Budget(Message):
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
class Bands(Message):
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
class Request(Message):
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
    page, plane, level: which image of the input, see ``formats.options.SourceOptions``.
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
        check_object(cls.__name__, data)
        access, budget, bands = data.get("access"), data.get("budget"), data.get("bands")
        inner = {
            "access": Access.from_json(access) if access else None,
            "budget": Budget.from_json(budget) if budget else Budget(),
            "bands": Bands.from_json(bands) if bands else None,
        }
        return super().from_json({**data, **inner})


@dataclass(frozen=True)
class View(Message):
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
class Tile(Message):
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
