"""A line plot as SVG, with nothing but text."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH_PX, HEIGHT_PX = 640, 320
LEFT_PX, RIGHT_PX, TOP_PX, BOTTOM_PX = 70, 130, 36, 46
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
"""Told apart by the colour-blind as well: the palette of Okabe and Ito."""

TICKS = 5
POINTS = 300
"""More do not show on so few pixels."""


@dataclass(frozen=True)
class Line:
    """One line: its name, and its points from left to right."""

    name: str
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Plot:
    """Lines over one pair of axes that begin at zero."""

    title: str
    across: str
    up: str
    lines: Sequence[Line]

    def svg(self) -> str:
        """Return the picture."""
        right = max((x for line in self.lines for x, _ in line.points), default=1.0) or 1.0
        top = max((y for line in self.lines for _, y in line.points), default=1.0) or 1.0
        parts = [self._axes(right, top), *(self._line(n, right, top) for n in range(len(self.lines)))]
        size = f'width="{WIDTH_PX}" height="{HEIGHT_PX}" viewBox="0 0 {WIDTH_PX} {HEIGHT_PX}"'
        style = 'font-family="sans-serif" font-size="12"'
        ground = f'<rect width="{WIDTH_PX}" height="{HEIGHT_PX}" fill="white"/>\n'
        return f'<svg xmlns="http://www.w3.org/2000/svg" {size} {style}>\n{ground}{"".join(parts)}</svg>\n'

    def _axes(self, right: float, top: float) -> str:
        low, end = HEIGHT_PX - BOTTOM_PX, WIDTH_PX - RIGHT_PX
        texts = [_text(LEFT_PX, 20, self.title, "start", 'font-weight="bold"')]
        texts.append(_text((LEFT_PX + end) / 2, HEIGHT_PX - 8, self.across, "middle"))
        texts.append(_text(LEFT_PX - 6, TOP_PX - 4, self.up, "end"))
        for step in range(TICKS + 1):
            x, y = _at(step / TICKS, step / TICKS)
            texts.append(_text(x, low + 18, f"{right * step / TICKS:,.3g}", "middle"))
            texts.append(_text(LEFT_PX - 6, y + 4, f"{top * step / TICKS:,.0f}", "end"))
            texts.append(f'<path d="M{LEFT_PX} {y:.1f}H{end}" stroke="#ddd"/>\n')
        return "".join(texts)

    def _line(self, number: int, right: float, top: float) -> str:
        line, colour = self.lines[number], COLOURS[number % len(COLOURS)]
        every = max(1, len(line.points) // POINTS)
        shown = [*line.points[::every], *line.points[-1:]]
        path = " ".join("{:.1f},{:.1f}".format(*_at(x / right, y / top)) for x, y in shown)
        name_y = TOP_PX + 8 + 18 * number
        name = _text(WIDTH_PX - RIGHT_PX + 10, name_y, line.name, "start", f'fill="{colour}"')
        return f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>\n{name}'


def _at(across: float, up: float) -> tuple[float, float]:
    """Return the place of a point given as parts of the axes."""
    x = LEFT_PX + across * (WIDTH_PX - LEFT_PX - RIGHT_PX)
    return x, HEIGHT_PX - BOTTOM_PX - up * (HEIGHT_PX - TOP_PX - BOTTOM_PX)


def _text(x: float, y: float, text: str, anchor: str, more: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" {more}>{escape(text)}</text>\n'
