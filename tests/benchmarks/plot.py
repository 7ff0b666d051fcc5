"""Lines on a square, as SVG: for the plots that the notes show."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SIDE, LEFT, BOTTOM, TOP, RIGHT = 360, 52, 40, 30, 16
_COLOURS = ("#1b6ca8", "#c0392b", "#2e7d32", "#7b5ea7", "#8a6d3b")


def plot(
    title: str,
    lines: Mapping[str, Sequence[tuple[float, float]]],
    *,
    across: tuple[str, float, float],
    up: tuple[str, float, float],
    diagonal: bool = False,
) -> str:
    """An SVG of named lines of points (x, y); `across` and `up` are label, least and most of the axes."""

    def x(value: float) -> float:
        return LEFT + (value - across[1]) / (across[2] - across[1]) * SIDE

    def y(value: float) -> float:
        return TOP + (up[2] - value) / (up[2] - up[1]) * SIDE

    width, height = LEFT + SIDE + RIGHT, TOP + SIDE + BOTTOM
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"'
        ' font-family="sans-serif" font-size="12">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
        f'<text x="{LEFT}" y="18" font-weight="bold">{escape(title)}</text>',
    ]
    for step in range(6):
        for axis, place in ((across, x), (up, y)):
            value = axis[1] + (axis[2] - axis[1]) * step / 5
            at = place(value)
            ends = (at, TOP, at, TOP + SIDE) if axis is across else (LEFT, at, LEFT + SIDE, at)
            parts.append('<line x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}" stroke="#ddd"/>'.format(*ends))
            spot = (
                f'x="{at:.1f}" y="{TOP + SIDE + 16}" text-anchor="middle"'
                if axis is across
                else f'x="{LEFT - 6}" y="{at + 4:.1f}" text-anchor="end"'
            )
            parts.append(f"<text {spot}>{value:.3g}</text>")
    parts.append(f'<text x="{LEFT + SIDE / 2}" y="{height - 6}" text-anchor="middle">{escape(across[0])}</text>')
    middle = TOP + SIDE / 2
    parts.append(f'<text transform="translate(12 {middle}) rotate(-90)" text-anchor="middle">{escape(up[0])}</text>')
    if diagonal:
        parts.append(f'<line x1="{x(0)}" y1="{y(0)}" x2="{x(1)}" y2="{y(1)}" stroke="#999" stroke-dasharray="4"/>')
    for number, (name, points) in enumerate(lines.items()):
        colour = _COLOURS[number % len(_COLOURS)]
        path = " ".join(f"{x(one):.1f},{y(other):.1f}" for one, other in points)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x(one):.1f}" cy="{y(other):.1f}" r="3" fill="{colour}"/>' for one, other in points]
        spot = f'x="{LEFT + SIDE - 12}" y="{TOP + SIDE - 12 - 16 * number}" text-anchor="end"'
        parts.append(f'<text {spot} fill="{colour}">{escape(name)}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"
