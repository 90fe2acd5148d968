"""What the command line shows of the cluster, for a terminal."""

from rich.table import Table
from rich.text import Text

from pipeline.models import AlertsStatus, AlertState, ClusterStatus, NodeStatus

_COLOURS = {"kept": "green", "idle": "yellow", "draining": "red"}


def nodes_table(cluster: ClusterStatus) -> Table:
    """Return a line per node, the head first, with the queue below them."""
    table = Table(box=None, header_style="bold", caption=_queue(cluster), caption_justify="left")
    for name in ("address", "state", "cores", "CPU", "memory", "workers", "worlds", "ranks"):
        table.add_column(name, no_wrap=True)
    for node in sorted(cluster.nodes, key=lambda one: (not one.is_head, one.address, one.id)):
        table.add_row(
            f"{node.address} (head)" if node.is_head else node.address,
            f"[{_COLOURS[node.state]}]{node.state}[/]",
            f"{node.cores_used} of {node.cores}",
            *_vitals(node),
            str(node.workers),
            str(node.worlds),
            str(node.ranks),
        )
    return table


def _vitals(node: NodeStatus) -> tuple[str, str]:
    """Return CPU and memory in use on a node, dashes for one that has not told how it is."""
    if node.vitals is None:
        return "-", "-"
    return f"{node.vitals.cpu_percent:.0f} %", f"{node.vitals.memory_percent:.0f} %"


def alerts_table(status: AlertsStatus) -> Table:
    """Return a line per alert: those that hold, then those of lately."""
    table = Table(box=None, header_style="bold")
    for name in ("state", "alert", "since", "until"):
        table.add_column(name, no_wrap=True)
    table.add_column("what", overflow="fold")
    for alert in (*status.active, *status.recent):
        holds = alert.state is AlertState.RAISED
        colour = "green" if not holds else "red" if alert.severity == "critical" else "yellow"
        table.add_row(
            f"[{colour}]{alert.severity if holds else alert.state.value}[/]",
            Text(alert.id),
            f"{alert.since.astimezone():%F %T}",
            "" if holds else f"{alert.at.astimezone():%F %T}",
            Text(f"{alert.text}: {alert.remedy}" if holds else alert.text),
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
