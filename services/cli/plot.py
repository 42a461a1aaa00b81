"""A reliability plot as SVG, written by hand: what was said along, what was so up; on the diagonal both agree."""

from collections.abc import Sequence

from services.analysis.reliability import Bin

SIDE, EDGE = 400, 48
STYLE = "font: 12px sans-serif; fill: #333"


def svg(bins: Sequence[Bin], title: str) -> str:
    """The whole file; a dot a bin, larger with more judgements."""
    from html import escape

    most = max((b.count for b in bins), default=1)
    dots = "".join(
        f'<circle cx="{_x(b.said)}" cy="{_y(b.true)}" r="{3 + 9 * (b.count / most) ** 0.5:.1f}" fill="#2563a8" '
        f'fill-opacity="0.75"><title>{b.count} judgements: said {b.said:.2f}, so {b.true:.2f}</title></circle>'
        for b in bins
    )
    path = " ".join(f"{_x(b.said)},{_y(b.true)}" for b in bins)
    size = SIDE + 2 * EDGE
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{size}" height="{size}" viewBox="0 0 {size} {size}">'
        f'<title>{escape(title)}</title><rect width="{size}" height="{size}" fill="#fff"/>{_axes()}'
        f'<polyline points="{path}" fill="none" stroke="#2563a8"/>{dots}'
        f'<text x="{size / 2}" y="24" text-anchor="middle" style="{STYLE}">{escape(title)}</text></svg>\n'
    )


def _axes() -> str:
    ticks = "".join(
        f'<text x="{_x(v)}" y="{_y(0) + 16}" text-anchor="middle" style="{STYLE}">{v}</text>'
        f'<text x="{EDGE - 8}" y="{_y(v) + 4}" text-anchor="end" style="{STYLE}">{v}</text>'
        for v in (0, 0.25, 0.5, 0.75, 1)
    )
    return (
        f'<rect x="{EDGE}" y="{EDGE}" width="{SIDE}" height="{SIDE}" fill="none" stroke="#999"/>'
        f'<line x1="{_x(0)}" y1="{_y(0)}" x2="{_x(1)}" y2="{_y(1)}" stroke="#999" stroke-dasharray="4"/>{ticks}'
        f'<text x="{EDGE + SIDE / 2}" y="{EDGE + SIDE + 36}" text-anchor="middle" style="{STYLE}">said</text>'
        f'<text x="14" y="{EDGE + SIDE / 2}" text-anchor="middle" style="{STYLE}" '
        f'transform="rotate(-90 14 {EDGE + SIDE / 2})">so</text>'
    )


def _x(value: float) -> float:
    return round(EDGE + SIDE * value, 1)


def _y(value: float) -> float:
    return round(EDGE + SIDE * (1 - value), 1)
