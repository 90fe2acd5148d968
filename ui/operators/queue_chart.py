"""The queue and the nodes over time, as charts of Vega-Lite; pure."""

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from pipeline.models import Lane, Sample

POINTS = 240
"""As many as a chart can show: of more the largest of each span is kept, so that no peak is lost."""

RANGES = {"15 minutes": 900, "1 hour": 3600, "6 hours": 21_600, "24 hours": 86_400}
_HEIGHT_PX = 190
_COLOURS = ["#14b8a6", "#f59e0b"]
Row = dict[str, Any]
Span = tuple[datetime, datetime]
"""From when to when a chart goes."""


def thinned(samples: Sequence[Sample], points: int = POINTS) -> list[Sample]:
    """Return at most about so many samples, of each span of time the one with the longest queue."""
    if len(samples) <= points:
        return list(samples)
    first, last = samples[0].at.timestamp(), samples[-1].at.timestamp()
    span_s = max((last - first) / points, 1e-9)
    spans = groupby(samples, key=lambda sample: int((sample.at.timestamp() - first) / span_s))
    return [max(group, key=_depth) for _, group in spans]


def _depth(sample: Sample) -> tuple[int, int]:
    return sum(sample.waiting.values()) + sum(sample.held.values()), sample.nodes_wanted


def queue_rows(samples: Sequence[Sample]) -> list[Row]:
    """Return a row for each sample and lane: the jobs that wait or are held."""
    return [
        {
            "at": sample.at.timestamp() * 1000,
            "line": f"lane {lane.value}",
            "value": sample.waiting.get(lane, 0) + sample.held.get(lane, 0),
        }
        for sample in samples
        for lane in Lane
    ]


def node_rows(samples: Sequence[Sample]) -> list[Row]:
    """Return two rows for each sample: the nodes that are wanted, and those that run."""
    return [
        {"at": sample.at.timestamp() * 1000, "line": line, "value": value}
        for sample in samples
        for line, value in (("wanted", sample.nodes_wanted), ("running", sample.nodes))
    ]


def queue_spec(span: Span) -> Row:
    """Return how the rows of the queue are drawn: the lanes one above the other."""
    mark = {"type": "area", "interpolate": "step-after", "opacity": 0.75, "tooltip": True}
    return _spec(mark, span, {"stack": "zero"}, {})


def node_spec(span: Span) -> Row:
    """Return how the rows of the nodes are drawn: lines that can be told apart without colour."""
    mark = {"type": "line", "interpolate": "step-after", "strokeWidth": 2, "tooltip": True}
    dashes = {
        "field": "line",
        "type": "nominal",
        "title": None,
        "scale": {"domain": ["running", "wanted"], "range": [[1, 0], [6, 4]]},
    }
    return _spec(mark, span, {}, {"strokeDash": dashes})


def _spec(mark: Row, span: Span, stacked: Row, more: Row) -> Row:
    return {
        "height": _HEIGHT_PX,
        "padding": {"left": 0, "right": 4, "top": 0, "bottom": 0},
        "mark": mark,
        "encoding": {
            "x": {
                "field": "at",
                "type": "temporal",
                "title": None,
                "axis": {"format": "%H:%M", "tickCount": 6},
                "scale": {"domain": [moment.isoformat() for moment in span]},
            },
            "y": {
                "field": "value",
                "type": "quantitative",
                "title": None,
                "axis": {"tickMinStep": 1},
                **stacked,
            },
            "color": {
                "field": "line",
                "type": "nominal",
                "title": None,
                "legend": {"orient": "top", "offset": 4},
                "scale": {"range": _COLOURS},
            },
            **more,
        },
    }
