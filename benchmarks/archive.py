"""What the cost model says of work that no one machine can be measured on: a petapixel."""

from dataclasses import dataclass, replace

from mpi_stage.image import ImageSpec
from mpi_stage.operations.spelling.grammar import parse
from mpi_stage.planning.forecast import Load, Rates, Stored, loads, seconds
from mpi_stage.planning.plan import Plan
from mpi_stage.planning.planner import make_plan

NODES = 1000
RANKS_PER_NODE = 16
GIGAPIXEL = ImageSpec(31_623, 31_623, 3, "uint8")
PETAPIXEL = ImageSpec(31_622_777, 31_622_777, 3, "uint8")
SCANS = 1_000_000
STEPS = ("gaussian:sigma=2 sobel", "canny:sigma=1.4", "lowpass")
BUCKET_BYTES_S = 25e9
"""What a bucket gives a project by default, 200 Gbit/s, all nodes together."""

STORAGE_BYTES_S = 1e9  # to and from one node
LINK_BYTES_S = 2e9  # half of the 32 Gbit/s of a node with 16 virtual cores
TILE_PX = 512
TABLE_ENTRY_BYTES = 16
DAY_S = 86_400
NO_LIMIT_BYTES = 1 << 60

NODE = Rates(
    read_bytes_s=STORAGE_BYTES_S / RANKS_PER_NODE,
    written_bytes_s=STORAGE_BYTES_S / RANKS_PER_NODE,
    link_bytes_s=LINK_BYTES_S,
    latency_s=50e-6,
    start_s=0.05,
    core_speed=0.5,
)
"""A node of 16 virtual cores, two on each core of its processor, with a warm world."""

Row = list[str]


@dataclass(frozen=True)
class _Facts:
    """A picture in tiles that every rank reads and writes by itself."""

    spec: ImageSpec
    divisible: bool = True
    rereadable: bool = True
    windowed: bool = True
    decode_bytes: int = 0
    encode_bytes: int = 0
    row_unit: int = 1


def _plan(steps: str, spec: ImageSpec, ranks: int) -> Plan:
    facts = _Facts(spec)
    return make_plan(parse(steps.split()), facts, facts, ranks=ranks, memory_bytes=NO_LIMIT_BYTES)


def _loads(plan: Plan) -> list[Load]:
    return loads(plan, Stored(plan.before.total_bytes, reads=True, writes=True, rereads=True))


def archive_rows() -> list[Row]:
    """Return columns and rows for a million scans of a gigapixel each, a node's world for each scan."""
    rows = [
        ["steps", "a scan on a node, s", "the archive, days", "the bucket must give, GB/s", "and gives, days"]
    ]
    for steps in STEPS:
        each = _loads(_plan(steps, GIGAPIXEL, RANKS_PER_NODE))
        # Within a node messages go through memory.
        scan_s = seconds(each, replace(NODE, link_bytes_s=LINK_BYTES_S * 4))
        moved = sum(load.read_bytes + load.written_bytes for load in each)
        archive_s = scan_s * SCANS / NODES
        bound_s = moved * SCANS / BUCKET_BYTES_S
        figures = (scan_s, archive_s / DAY_S, moved * NODES / scan_s / 1e9, max(archive_s, bound_s) / DAY_S)
        rows.append([f"`{steps}`", *(f"{figure:.3g}" for figure in figures)])
    return rows


def picture_rows() -> list[Row]:
    """Return columns and rows for one picture of a petapixel, dealt to all ranks of all nodes."""
    ranks = NODES * RANKS_PER_NODE
    # All inner ranks are alike: one stands for all.
    plans = {steps: _plan(steps, PETAPIXEL, ranks) for steps in STEPS}
    first = plans[STEPS[0]]
    middle = loads_of_one(first, ranks // 2)
    canny, spectrum = (loads_of_one(plans[steps], ranks // 2) for steps in STEPS[1:])
    tiles = (-(-PETAPIXEL.rows // TILE_PX)) ** 2
    sweep_s = middle.sweep_s(NODE)
    return [
        ["what", "of a rank", "bearable"],
        ["rows of a slab", f"{first.partition(PETAPIXEL).largest:,}", "yes"],
        ["bytes of one row", f"{PETAPIXEL.row_bytes / 1e6:.0f} MB", "yes"],
        [f"memory for `{STEPS[0]}`", f"{first.peak_bytes / 1e9:.0f} GB", "no: 4 GB are there"],
        ["table of tiles in the file, held by each rank", f"{tiles * TABLE_ENTRY_BYTES / 1e9:.0f} GB", "no"],
        ["halo rows sent", f"{middle.swapped.sent_bytes / 1e9:.2f} GB", "yes"],
        ["reading, computing, writing", f"{sweep_s / 3600:.2f} h", "yes"],
        [f"seams received by `{STEPS[1]}`", f"{canny.exchanged.received_bytes / 1e12:,.0f} TB", "no"],
        [f"spectrum sent by `{STEPS[2]}`", f"{spectrum.exchanged.sent_bytes / 1e12:.2f} TB", "in hours"],
    ]


def loads_of_one(plan: Plan, rank: int) -> Load:
    """Return the load of one rank of a plan that reads and writes its own rows."""
    return loads(plan, Stored(plan.before.total_bytes, reads=True, writes=True, rereads=True), [rank])[0]
