"""A plot of values that change in steps over time, as SVG; two panels, one above the other."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT, LEFT, RIGHT, GAP, TOP = 760, 170, 56, 16, 46, 28
TICKS = 4
STYLE = "font-family:system-ui,sans-serif;font-size:12px"


@dataclass(frozen=True)
class Line:
    """Values over time: ``points`` are seconds and values, each valid until the next."""

    name: str
    colour: str
    points: Sequence[tuple[float, float]]
    dashed: bool = False


def svg(title: str, panels: Sequence[tuple[str, Sequence[Line]]]) -> str:
    """Return the plot: panels with the name of their axis and their lines, over the same seconds."""
    end_s = max(at for _, lines in panels for line in lines for at, _ in line.points) or 1.0
    height = TOP + len(panels) * (HEIGHT + GAP)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" style="{STYLE}">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
    ]
    for number, (axis, lines) in enumerate(panels):
        parts += _panel(TOP + number * (HEIGHT + GAP), axis, lines, end_s)
    return "\n".join([*parts, "</svg>", ""])


def _panel(top: float, axis: str, lines: Sequence[Line], end_s: float) -> list[str]:
    most = max((value for line in lines for _, value in line.points), default=0.0) or 1.0
    bottom, inner = top + HEIGHT, WIDTH - LEFT - RIGHT

    def place(at_s: float, value: float) -> str:
        return f"{LEFT + inner * at_s / end_s:.1f},{bottom - HEIGHT * value / most:.1f}"

    parts = [f'<text x="{LEFT}" y="{top - 8}">{escape(axis)}</text>']
    for tick in range(TICKS + 1):
        y, x = bottom - HEIGHT * tick / TICKS, LEFT + inner * tick / TICKS
        parts.append(f'<path d="M{LEFT},{y:.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>')
        parts.append(
            f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{most * tick / TICKS:.3g}</text>'
        )
        parts.append(
            f'<text x="{x:.1f}" y="{bottom + 16}" text-anchor="middle">{end_s * tick / TICKS:.0f} s</text>'
        )
    for number, line in enumerate(lines):
        path = "M" + " L".join(place(*point) for point in _steps(line.points, end_s))
        dash = ' stroke-dasharray="5 3"' if line.dashed else ""
        parts.append(f'<path d="{path}" fill="none" stroke="{line.colour}" stroke-width="2"{dash}/>')
        x = WIDTH - RIGHT - 110 * (len(lines) - number)
        parts.append(f'<text x="{x}" y="{top - 8}" fill="{line.colour}">— {escape(line.name)}</text>')
    return parts


def _text(x: float, y: float, anchor: str, text: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{text}</text>'


def _steps(points: Sequence[tuple[float, float]], end_s: float) -> list[tuple[float, float]]:
    """Return the corners of the steps, up to the end of the plot."""
    corners: list[tuple[float, float]] = []
    for at_s, value in points:
        if corners:
            corners.append((at_s, corners[-1][1]))
        corners.append((at_s, value))
    return [*corners, (end_s, corners[-1][1])]
