"""What the command line shows of the cluster, for a terminal."""

from rich.table import Table

from pipeline.models import ClusterStatus
from pipeline.sizes import show_size

_COLOURS = {"kept": "green", "idle": "yellow", "draining": "red"}


def nodes_table(cluster: ClusterStatus) -> Table:
    """Return a line per node, the head first, with the queue below them."""
    table = Table(box=None, header_style="bold", caption=_queue(cluster), caption_justify="left")
    for name in ("node", "address", "state", "cores", "memory", "workers", "worlds", "ranks"):
        table.add_column(name, no_wrap=True)
    for node in sorted(cluster.nodes, key=lambda one: (not one.is_head, one.address, one.id)):
        table.add_row(
            node.id[-8:],
            f"{node.address} (head)" if node.is_head else node.address,
            f"[{_COLOURS[node.state]}]{node.state}[/]",
            f"{node.cores_used} of {node.cores}",
            show_size(node.memory_bytes),
            str(node.workers),
            str(node.worlds),
            str(node.ranks),
        )
    return table


def _queue(cluster: ClusterStatus) -> str:
    lanes = cluster.lanes.values()
    waiting, held = sum(lane.waiting for lane in lanes), sum(lane.held for lane in lanes)
    pixels = sum(lane.backlog.todo.pixels for lane in lanes)
    drained = "no node works on them" if cluster.drain_s < 0 else f"about {cluster.drain_s:.0f} s of work"
    said = f"{waiting} jobs wait, {held} are in work: {pixels / 1e6:,.1f} Mpx, {drained}"
    if cluster.nodes_wanted is None:
        return said
    return f"{said}; {cluster.nodes_wanted} of at most {cluster.nodes_max} worker nodes wanted"
