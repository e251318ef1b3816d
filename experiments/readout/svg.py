"""Figures of estimates as SVG that stands inside a page: intervals one below the other, or along a time."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup, escape

INK, FAINT, GRID, BAND = "#0b5d8f", "#9aa3ab", "#d9dee2", "#cfe0ec"
_WIDTH, _LEFT, _RIGHT, _ROW, _AXIS = 760, 190, 130, 26, 96
_WIDE = 0.6

Shown = Callable[[float], str]
"""How a value is written, with its unit."""


@dataclass(frozen=True, slots=True)
class Bar:
    """An estimate with its interval.

    Attributes:
        label: Its label.
        value: The estimate.
        low: Lower bound.
        high: Upper bound.
        n: How many customers it rests on.
        behind: Another interval, drawn faintly behind it, or None.
    """

    label: str
    value: float
    low: float
    high: float
    n: int
    behind: tuple[float, float] | None = None


def intervals(bars: Sequence[Bar], shown: Shown, *, title: str, note: str) -> Markup:
    """Estimates one below the other, beside a line at no difference; on the right, each in figures.

    Args:
        bars: From top to bottom.
        shown: How a value is written.
        title: The title of the picture.
        note: The data behind it, and whether they are simulated.
    """
    bottom = 44 + _ROW * len(bars)
    scale, ticks = _scale([edge for bar in bars for edge in _edges(bar)], _LEFT, _WIDTH - _RIGHT)
    labels = _apart([shown(tick) for tick in ticks], [scale(tick) for tick in ticks], 10)
    parts = [_tick(scale(tick), 30, bottom, label, zero=tick == 0) for tick, label in zip(ticks, labels, strict=True)]
    for i, bar in enumerate(bars):
        y = 50 + _ROW * i
        parts.append(_text(_LEFT - 10, y + 4, _cut(bar.label, _LEFT - 10, 12), anchor="end"))
        parts.append(_text(_LEFT - 10, y + 15, f"n = {bar.n:,}", anchor="end", size=9, colour=FAINT))
        if bar.behind:
            parts.append(_line(scale(bar.behind[0]), y, scale(bar.behind[1]), y, FAINT, 5, opacity=0.35))
        parts.append(_line(scale(bar.low), y, scale(bar.high), y, INK, 2))
        parts.append(f'<circle cx="{scale(bar.value):.1f}" cy="{y}" r="4.5" fill="{INK}"/>')
        parts.append(_text(_WIDTH - _RIGHT + 12, y + 4, shown(bar.value), size=11))
    return _framed(parts, bottom + 34, title, note)


def along(bars: Sequence[Bar], shown: Shown, *, title: str, note: str) -> Markup:
    """Estimates from left to right with a band for the interval, and lines for the one behind it."""
    top, bottom = 34, 214
    scale, ticks = _scale([edge for bar in bars for edge in _edges(bar)], bottom, top)
    places = [_AXIS + (_WIDTH - _AXIS - 60) * (i + 0.5) / len(bars) for i in range(len(bars))]
    parts = [_level(scale(tick), shown(tick), zero=tick == 0) for tick in ticks]
    outline = [(x, scale(bar.high)) for x, bar in zip(places, bars, strict=True)]
    outline += [(x, scale(bar.low)) for x, bar in zip(reversed(places), reversed(bars), strict=True)]
    if len(bars) > 1:
        parts.append(f'<polygon points="{_points(outline)}" fill="{BAND}"/>')
    for x, bar in zip(places, bars, strict=True):
        parts.append(_line(x, scale(bar.low), x, scale(bar.high), INK, 1, opacity=0.5))
        if bar.behind:
            parts.append(_line(x, scale(bar.behind[0]), x, scale(bar.behind[1]), FAINT, 5, opacity=0.5))
    named, counted = (
        _apart([bar.label for bar in bars], places, 10),
        _apart([f"n = {bar.n:,}" for bar in bars], places, 9),
    )
    for x, name, count in zip(places, named, counted, strict=True):
        parts.append(_text(x, bottom + 18, name, anchor="middle", size=10))
        parts.append(_text(x, bottom + 31, count, anchor="middle", size=9, colour=FAINT))
    path = _points([(x, scale(bar.value)) for x, bar in zip(places, bars, strict=True)])
    parts.append(f'<polyline points="{path}" fill="none" stroke="{INK}" stroke-width="2"/>')
    parts += [
        f'<circle cx="{x:.1f}" cy="{scale(bar.value):.1f}" r="4" fill="{INK}"/>'
        for x, bar in zip(places, bars, strict=True)
    ]
    return _framed(parts, bottom + 54, title, note)


def ticks_of(low: float, high: float, wanted: int = 5) -> list[float]:
    """Round numbers over a range.

    Example:
        >>> ticks_of(-0.7, 2.2)
        [-0.5, 0.0, 0.5, 1.0, 1.5, 2.0]
    """
    rough = (high - low) / wanted
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * size for size in (1, 2, 5, 10) if power * size >= 0.8 * rough)
    return [round(n * step, 12) for n in range(math.ceil(low / step), math.floor(high / step) + 1)]


def _apart(labels: Sequence[str], places: Sequence[float], size: int) -> list[str]:
    """As many of some labels as do not touch, each so many places after the one before, up to the last."""
    room = min((b - a for a, b in pairwise(sorted(places))), default=math.inf)
    every = max(1, math.ceil((max(map(len, labels), default=0) + 2) * _WIDE * size / room))
    return [label if (len(labels) - 1 - i) % every == 0 else "" for i, label in enumerate(labels)]


def _cut(label: str, room: float, size: int) -> str:
    """A label that fits into some room, in pixels."""
    most = int(room / (_WIDE * size))
    return label if len(label) <= most else label[: most - 1] + "…"


def _edges(bar: Bar) -> tuple[float, ...]:
    return (bar.low, bar.high, *(bar.behind or ()))


def _scale(edges: Sequence[float], first: float, last: float) -> tuple[Callable[[float], float], list[float]]:
    """Where a value lies between two places, with some room at either end and 0 within, and round values."""
    low, high = min(*edges, 0.0), max(*edges, 0.0)
    room = 0.06 * (high - low) or 1.0
    low, high = low - room, high + room
    return lambda value: first + (value - low) / (high - low) * (last - first), ticks_of(low, high)


def _tick(x: float, top: float, bottom: float, label: str, *, zero: bool) -> str:
    line = _line(x, top, x, bottom, FAINT if zero else GRID, 1.5 if zero else 1)
    return line + _text(x, bottom + 14, label, anchor="middle", size=10, colour="#5a646c")


def _level(y: float, label: str, *, zero: bool) -> str:
    line = _line(_AXIS, y, _WIDTH - 60, y, FAINT if zero else GRID, 1.5 if zero else 1)
    return line + _text(_AXIS - 6, y + 3, label, anchor="end", size=10, colour="#5a646c")


def _line(x1: float, y1: float, x2: float, y2: float, colour: str, width: float, opacity: float = 1.0) -> str:
    ends = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
    return f'<line {ends} stroke="{colour}" stroke-width="{width}" stroke-opacity="{opacity}"/>'


def _text(x: float, y: float, text: str, *, anchor: str = "start", size: int = 12, colour: str = "#22303a") -> str:
    if not text:
        return ""
    where = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" fill="{colour}"'
    return f"<text {where}>{escape(text)}</text>"


def _points(places: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in places)


def _framed(parts: Sequence[str], height: float, title: str, note: str) -> Markup:
    inner = "".join([_text(0, 16, title, size=13), *parts, _text(0, height - 4, note, size=10, colour="#5a646c")])
    return Markup(  # noqa: S704 # nosec B704 # every text passes `escape`
        f'<svg viewBox="0 0 {_WIDTH} {height:.0f}" role="img" aria-label="{escape(title)}">{inner}</svg>'
    )
