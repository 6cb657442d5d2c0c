"""``curve.svg``: a learning curve as a picture of its own, light on any page."""

from collections.abc import Mapping
from typing import Any

from markupsafe import escape

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 720, 400, 60, 20, 40, 50


def curve_svg(curve: Mapping[str, Any]) -> str:
    """Return the SVG of ``curve.json``'s content: points, their intervals, the fit and where it leads."""
    points, further = list(curve["points"]), list(curve["extrapolation"])
    both = points + further
    most = max(p["size"] for p in both)
    ends = [v for p in both for v in (p["value"], p["low"], p["high"]) if v is not None]
    low, high = min(ends), max(ends)
    step = 0.05 if high - low < 0.4 else 0.1
    low, high = int(low / step) * step, (int(high / step) + 1) * step

    def x(size: float) -> float:
        return round(float(LEFT + (WIDTH - LEFT - RIGHT) * size / most), 1)

    def y(value: float) -> float:
        return round(float(TOP + (HEIGHT - TOP - BOTTOM) * (high - value) / (high - low)), 1)

    drawn = []
    for i in range(round((high - low) / step) + 1):
        value = low + i * step
        drawn.append(f'<path class="grid" d="M{LEFT} {y(value)}H{WIDTH - RIGHT}"/>')
        drawn.append(
            f'<text x="{LEFT - 8}" y="{y(value) + 4}" text-anchor="end">{value:.2f}</text>'
        )
    for point in both:
        drawn.append(f'<text x="{x(point["size"])}" y="{HEIGHT - BOTTOM + 20}" text-anchor="middle">{point["size"]:,}</text>')  # fmt: skip
    if further:
        fit = further[0]["fit"]
        first = points[0]["size"]
        sizes = [first + (most - first) * i / 80 for i in range(81)]
        path = " ".join(f"{x(n)},{y(fit['a'] - fit['b'] * n ** -fit['c'])}" for n in sizes)
        drawn.append(f'<polyline class="fit" points="{path}"/>')
    for kind, part in (("seen", points), ("told", further)):
        for point in part:
            if point["low"] is not None:
                drawn.append(f'<path class="{kind}" d="M{x(point["size"])} {y(point["low"])}V{y(point["high"])}"/>')  # fmt: skip
            drawn.append(f'<circle class="{kind}" cx="{x(point["size"])}" cy="{y(point["value"])}" r="4"/>')  # fmt: skip
    title = escape(f"{curve['model']}: {curve['measure']} by number of training sentences")
    words = "; ".join(f"{p['size']}: {p['value']:.3f}" for p in both)
    style = (
        "text{font:12px sans-serif;fill:#333}.title{font-size:14px;font-weight:bold}.grid{stroke:#ddd}"
        ".fit{fill:none;stroke:#888;stroke-dasharray:5 4}path.seen{stroke:#1d5b99;stroke-width:2}"
        "circle.seen{fill:#1d5b99}path.told{stroke:#b4532a;stroke-width:2}circle.told{fill:#fff;stroke:#b4532a;stroke-width:2}"
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{title}; {words}">'
        f'<style>{style}</style><rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>'
        f'<text class="title" x="{LEFT}" y="22">{title}</text>{"".join(drawn)}'
        f'<text x="{WIDTH - RIGHT}" y="{HEIGHT - 10}" text-anchor="end">training sentences (open: extrapolated)</text></svg>\n'
    )
