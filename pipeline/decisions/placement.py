"""On which nodes a world gets its cores, and how many ranks each of them has: pure decisions."""

from collections.abc import Sequence


def cores_on_nodes(cores: int, nodes: Sequence[int], further: int | None = None) -> list[int]:
    """Return how many cores to take from each of the fewest nodes that have ``cores`` together.

    One number if one node has enough: there ranks talk through memory. Else the load is dealt as
    evenly as the nodes' sizes allow. Where all together have too few, the rest is asked for as
    further nodes.

    Parameters
    ----------
    cores: what the world wants, at least 1.
    nodes: the cores of each of today's nodes, used or not.
    further: the cores of a node that may yet come; if None they are as large as the largest there is, and
        with no node at all, one is as large as it has to be.

    """
    there = sorted((size for size in nodes if size > 0), reverse=True)
    new = further or (there[0] if there else cores)
    if max([*there, 0]) >= cores or (new >= cores > sum(there)):
        return [cores]
    used: list[int] = []
    while sum(used) < cores:
        used.append(there[len(used)] if len(used) < len(there) else new)
    return _even(cores, used)


def ranks_on_nodes(ranks: int, cores: Sequence[int]) -> list[int]:
    """Deal ranks to nodes by their cores; every node gets one at least, as long as there are any.

    With as many ranks as cores each core gets one.
    """
    total = sum(cores)
    ends = [round(ranks * sum(cores[: number + 1]) / total) for number in range(len(cores))]
    return [end - start for start, end in zip([0, *ends], ends, strict=False)]


def cores_today(cores: int, nodes: Sequence[int]) -> int:
    """Return the cores that a world can have at most on today's nodes; 0 if there are none."""
    return min(cores, sum(nodes))


def _even(wanted: int, sizes: Sequence[int]) -> list[int]:
    """Deal ``wanted`` to places of the given sizes, largest first, as evenly as they allow."""
    dealt = [0] * len(sizes)
    for place in sorted(range(len(sizes)), key=lambda place: sizes[place]):
        left = sum(1 for other in dealt if other == 0)
        dealt[place] = min(sizes[place], (wanted - sum(dealt)) // left)
    return dealt
