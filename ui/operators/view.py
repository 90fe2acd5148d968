"""What the operators' page says, made of what the desk answers; pure."""

import html
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from pipeline.models import ClusterStatus, JobStatus, NodeStatus
from ui import words

_NODE_CHARACTERS = 16  # of a node's id, in the names of its workers
_WORKER = "worker-"


@dataclass(frozen=True)
class Figure:
    """A number of the headline: its name, value, and what is said below it."""

    name: str
    value: str
    note: str = ""


def figures(cluster: ClusterStatus, dead: int) -> list[Figure]:
    """Return the headline: nodes, what is at work, what waits, and dead letters."""
    at_work = [node for node in cluster.nodes if node.can_work]
    wanted = cluster.nodes_wanted
    lanes = cluster.lanes.values()
    waiting, held = sum(lane.waiting for lane in lanes), sum(lane.held for lane in lanes)
    oldest_s = max((lane.oldest_s for lane in lanes), default=0.0)
    ranks = sum(node.ranks for node in cluster.nodes)
    workers = sum(node.workers for node in cluster.nodes)
    drains = "no node works on them" if cluster.drain_s < 0 else f"empty in {words.duration(cluster.drain_s)}"
    return [
        Figure(
            "Nodes",
            f"{len(at_work)}",
            "as many as there are" if wanted is None else f"{wanted} of at most {cluster.nodes_max} wanted",
        ),
        Figure(
            "Worlds",
            f"{cluster.worlds}",
            f"{words.count(ranks, 'rank')}, {words.count(workers, 'one-rank worker')}",
        ),
        Figure("In work", f"{held:,}", f"{waiting + held:,} in the queue"),
        Figure("Waiting", f"{waiting:,}", f"oldest {words.duration(oldest_s)}; {drains}" if waiting else ""),
        Figure("Dead letters", f"{dead:,}"),
    ]


def nodes_html(nodes: Iterable[NodeStatus]) -> str:
    """Return a table of the nodes, the head first, with a bar for each share; it may scroll sideways."""
    names = ("Node", "State", "Cores held", "CPU", "Memory", "Disk", "Worlds", "Ranks", "Workers")
    head = "".join(f'<th scope="col">{name}</th>' for name in names)
    ordered = sorted(nodes, key=lambda one: (not one.is_head, one.address, one.id))
    rows = "".join(_row(node) for node in ordered)
    return (
        '<div class="halorow-nodes" role="region" aria-label="Nodes" tabindex="0">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _row(node: NodeStatus) -> str:
    vitals = node.vitals
    name = f"{html.escape(node.address)}{' <small>head</small>' if node.is_head else ''}"
    cores = f"{node.cores_used} of {node.cores}"
    unknown = '<td class="halorow-unknown">not told</td>'
    shares = [unknown] * 3
    if vitals is not None:
        used, total = words.size(vitals.memory_used_bytes), words.size(vitals.memory_total_bytes)
        disk, room = words.size(vitals.disk_used_bytes), words.size(vitals.disk_total_bytes)
        shares = [
            _share(vitals.cpu_percent, f"{vitals.cpu_percent:.0f} %"),
            _share(vitals.memory_percent, f"{used} of {total}"),
            _share(vitals.disk_percent, f"{disk} of {room}"),
        ]
    plain = [str(node.worlds), str(node.ranks), str(node.workers)]
    cells = [
        f'<th scope="row" title="{html.escape(node.id)}">{name}</th>',
        f"<td>{html.escape(node.state)}</td>",
        _share(100.0 * node.cores_used / node.cores, cores) if node.cores else f"<td>{cores}</td>",
        *shares,
        *(f"<td>{value}</td>" for value in plain),
    ]
    return f"<tr>{''.join(cells)}</tr>"


def _share(percent: float, said: str) -> str:
    """Return a cell with words above a bar; the bar is for the eye alone."""
    width = min(100.0, max(0.0, percent))
    return (
        f"<td>{html.escape(said)}"
        f'<span class="halorow-bar" aria-hidden="true"><i style="width:{width:.0f}%"></i></span></td>'
    )


def node_of(worker: str | None, cluster: ClusterStatus | None) -> str:
    """Return which node an attempt ran on, as far as the name of its worker tells."""
    if not worker:
        return "unknown"
    found = [
        node.address
        for node in (cluster.nodes if cluster else ())
        if worker.startswith(f"{_WORKER}{node.id[:_NODE_CHARACTERS]}")
    ]
    return f"{found[0]} ({worker})" if found else worker


def trouble_line(status: JobStatus, now: datetime) -> str:
    """Return a failed job in a line of Markdown."""
    ended = words.ago(status.finished_at, now) if status.finished_at else ""
    parts = [f"**{words.plain(status.input_name)}**", ended, words.plain(status.user)]
    return " · ".join(part for part in parts if part)


def shown(text: str, most: int = 600) -> str:
    """Return a text, cut where it goes on for too long."""
    return text if len(text) <= most else f"{text[:most]} …"
