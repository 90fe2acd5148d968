"""What a plan moves and how long it takes: bytes of each rank, counted, and seconds by a cost model.

The model is the usual one of latency and bandwidth for messages (R. Hockney, "The Communication
Challenge for MPP", Parallel Computing 20, 1994). A rank reads, computes and writes in turn; its halo
rows travel meanwhile, while what global steps exchange is waited for. The slowest rank sets the pace.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mpi_stage.geometry.partition import halo_need
from mpi_stage.operations.declaring.declaration import Moved
from mpi_stage.operations.declaring.traffic import moving
from mpi_stage.planning.between import Origin, between

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from mpi_stage.formats.headers import Header
    from mpi_stage.formats.ports import SinkPlan
    from mpi_stage.image import ImageSpec
    from mpi_stage.planning.between import Between
    from mpi_stage.planning.plan import Pass, Plan

NOTHING = Moved(0, 0, 0)


@dataclass(frozen=True)
class Rates:
    """What the machines can do.

    Attributes
    ----------
    read_bytes_s, written_bytes_s: of one rank, from its source and to its sink.
    link_bytes_s: of one rank (or of one node, see :func:`seconds`) to and from others, in each direction.
    exchange_share: the part of it that is had where all exchange with all.
    latency_s: before the first byte of a message arrives.
    start_s: before the first row is read.
    core_speed: of a core, in terms of the one on which the operations' costs were measured.

    """

    read_bytes_s: float = 2e9
    written_bytes_s: float = 1e9
    link_bytes_s: float = 2e9
    exchange_share: float = 0.7
    latency_s: float = 20e-6
    start_s: float = 0.5
    core_speed: float = 1.0


@dataclass(frozen=True)
class Stored:
    """How an input and an output lie in their files, as far as bytes read and written depend on it.

    ``input_bytes`` is the size of the input's file. ``reads`` and ``writes`` say whether every rank
    does so for its own rows; otherwise rank 0 does for all. ``rereads`` says that rows are read anew
    rather than kept where they are needed again, ``windowed`` that some of their pixels are read alone.
    """

    input_bytes: int
    reads: bool
    writes: bool
    rereads: bool
    windowed: bool = False

    @classmethod
    def of(cls, source: Header, sink: SinkPlan) -> Stored:
        """Return how an input and an output lie, from what their formats say of them."""
        return cls(
            input_bytes=source.stored_bytes,
            reads=source.divisible,
            writes=sink.divisible,
            rereads=source.rereadable,
            windowed=source.windowed,
        )

    def origin(self, ranks: int) -> Origin:
        """Return what the first pass of a plan reads from."""
        return Origin.of_input(
            divisible=self.reads, rereadable=self.rereads, windowed=self.windowed, ranks=ranks
        )


@dataclass(frozen=True)
class Load:
    """What one rank reads, writes and computes, the halo rows it swaps, and what else it exchanges."""

    read_bytes: int
    written_bytes: int
    swapped: Moved
    exchanged: Moved
    core_s: float

    @property
    def sent_bytes(self) -> int:
        """All bytes that it sends."""
        return self.swapped.sent_bytes + self.exchanged.sent_bytes

    @property
    def received_bytes(self) -> int:
        """All bytes that it receives."""
        return self.swapped.received_bytes + self.exchanged.received_bytes

    def sweep_s(self, rates: Rates) -> float:
        """Return how long it reads, computes and writes."""
        moving = self.read_bytes / rates.read_bytes_s + self.written_bytes / rates.written_bytes_s
        return moving + self.core_s / rates.core_speed

    def swap_s(self, rates: Rates) -> float:
        """Return how long its halo rows travel."""
        return _travel_s(self.swapped, rates.link_bytes_s, rates.latency_s)

    def exchange_s(self, rates: Rates) -> float:
        """Return how long it waits for what global steps exchange."""
        return _travel_s(self.exchanged, rates.link_bytes_s * rates.exchange_share, rates.latency_s)


def _travel_s(moved: Moved, bytes_s: float, latency_s: float) -> float:
    return max(moved.sent_bytes, moved.received_bytes) / bytes_s + moved.messages * latency_s


def loads(plan: Plan, stored: Stored, ranks: Iterable[int] | None = None) -> list[Load]:
    """Return what each rank of a plan's world has to do, or each of ``ranks``.

    Halo rows and rows dealt by rank 0 are counted exactly; of a global step the declaration's bound
    is taken, and of a compressed output the size of its pixels.
    """
    return [_load(plan, stored, rank) for rank in (range(plan.ranks) if ranks is None else ranks)]


def seconds(each: list[Load], rates: Rates, between: list[Load] | None = None) -> float:
    """Return how long a world takes, from its start to its report.

    Where several ranks share a node and its link, ``between`` are the loads of the same plan for a
    world of one rank on each node: neighbours lie on one node, so they move just what nodes move.
    """
    across = each if between is None else between
    sweep = max(load.sweep_s(rates) for load in each)
    swap = max(load.swap_s(rates) for load in across)
    return rates.start_s + max(sweep, swap) + max(load.exchange_s(rates) for load in across)


def forecast(plan: Plan, stored: Stored, rates: Rates | None = None) -> dict[str, float | int]:
    """Return what a plan moves in all, and how long it takes, as JSON for people and for the service."""
    each = loads(plan, stored)
    return {
        "read_bytes": sum(load.read_bytes for load in each),
        "written_bytes": sum(load.written_bytes for load in each),
        "sent_bytes": sum(load.sent_bytes for load in each),
        "seconds": round(seconds(each, rates or Rates()), 3),
    }


def _load(plan: Plan, stored: Stored, rank: int) -> Load:
    after = plan.after
    written = _rows(plan, after, rank) * after.row_bytes if stored.writes else after.total_bytes * (not rank)
    lies = list(between(plan.passes, stored.origin(plan.ranks), plan.partition))
    ends = (_ending(plan, one, behind, rank) for one, behind in zip(plan.passes, lies, strict=False))
    return Load(
        read_bytes=_input_bytes(plan, stored, rank) * _sweeps(plan, lies),
        written_bytes=written,
        swapped=_sum(_halo(plan, one, rank) for one in plan.passes),
        exchanged=_sum((NOTHING, *ends, *_dealt(plan, stored, rank))),
        core_s=sum(_core_s(plan, one, rank) for one in plan.passes),
    )


def _sum(parts: Iterable[Moved]) -> Moved:
    sent, received, messages = zip(*parts, strict=True)
    return Moved(sum(sent), sum(received), sum(messages))


def _rows(plan: Plan, image: ImageSpec, rank: int) -> int:
    return plan.partition(image).slab(rank).height


def _input_bytes(plan: Plan, stored: Stored, rank: int) -> int:
    """Return the bytes of the input's file that a rank reads in one sweep."""
    share = _rows(plan, plan.before, rank) / plan.before.rows if stored.reads else float(not rank)
    return round(stored.input_bytes * share)


def _sweeps(plan: Plan, lies: Sequence[Between]) -> int:
    """Return how often the input is read: until a pass keeps its rows, measuring rounds included."""
    sweeps = 1
    for one, behind in zip(plan.passes, lies, strict=False):
        reduction = one.ending.operation.reduction if one.ending is not None else None
        if behind.reads.slab or one.ending is None or reduction is None:
            break
        sweeps += len(reduction.rounds(one.ending.kernel_spec, one.ending.step.params))
    return sweeps


def _halo(plan: Plan, one: Pass, rank: int) -> Moved:
    """Return the bytes of halo rows that a rank sends and receives in a pass, and its messages."""
    partition = plan.partition(one.before)
    if not one.halo_rows or partition.ranks == 1:
        return NOTHING
    sent, received = [], []
    for other in _reachable(plan, one, rank):
        need = halo_need(partition, other, one.halo_rows, periodic=one.periodic)
        for piece in (*partition.pieces(need.above), *partition.pieces(need.below)):
            if other == rank != piece.owner:
                received.append(piece.height)
            elif piece.owner == rank != other:
                sent.append(piece.height)
    row_bytes = one.before.row_bytes
    return Moved(sum(sent) * row_bytes, sum(received) * row_bytes, len(sent) + len(received))


def _reachable(plan: Plan, one: Pass, rank: int) -> Iterator[int]:
    """Yield the ranks that may need rows of ``rank``, or have some that it needs, itself included."""
    partition = plan.partition(one.before)
    smallest = max(1, partition.rows // partition.ranks // partition.unit * partition.unit)
    reach = -(-one.halo_rows // smallest) + 1
    if 2 * reach + 1 >= partition.ranks or one.periodic:
        yield from range(partition.ranks)
    else:
        yield from range(max(0, rank - reach), min(partition.ranks, rank + reach + 1))


def _ending(plan: Plan, one: Pass, behind: Between, rank: int) -> Moved:
    """Return what the step at the end of a pass makes a rank send and receive at most."""
    ending = one.ending
    if ending is None or plan.ranks == 1:
        return NOTHING
    operation, params = ending.operation, ending.step.params
    rows = _rows(plan, ending.before, rank)
    if operation.traffic is not None:
        return operation.traffic(params, ending.before, rows, plan.ranks)
    if operation.remap is None:
        return Moved(0, 0, 2 * (plan.ranks - 1).bit_length())
    if not behind.travels:
        return NOTHING
    return moving(ending.before, ending.after, rows, _rows(plan, ending.after, rank), plan.ranks)


def _dealt(plan: Plan, stored: Stored, rank: int) -> Iterator[Moved]:
    """Yield what travels because only rank 0 can read the input, or write the output."""
    if plan.ranks == 1:
        return
    for image, alone, outward in (
        (plan.before, not stored.reads, True),
        (plan.after, not stored.writes, False),
    ):
        if alone:
            mine = _rows(plan, image, rank)
            travelling = (image.rows - mine if rank == 0 else mine) * image.row_bytes
            sends = outward == (rank == 0)
            yield Moved(travelling, 0, 1) if sends else Moved(0, travelling, 1)


def _core_s(plan: Plan, one: Pass, rank: int) -> float:
    """Return the core seconds of a pass on one rank, rows computed twice at the seams included."""
    rows = _rows(plan, one.before, rank)
    ahead = one.halo_rows
    total = 0.0
    for step in one.steps:
        ahead -= step.halo
        twice = 2 * ahead if plan.ranks > 1 else 0
        total += step.cost_s * min(rows + twice, step.before.rows) / step.before.rows
    if one.ending is not None:
        total += one.ending.cost_s * rows / one.before.rows
    return total
