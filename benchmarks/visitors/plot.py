"""The ratios as a picture: host `shared` beside both incumbents, on a scale of tenfold steps."""

from __future__ import annotations

from html import escape
from math import floor, log10

from benchmarks.visitors.contenders import CUSTOMERIO, SNOWPLOW
from benchmarks.visitors.table import ROWS, Samples

LEFT, WIDTH, LINE, TOP = 300, 480, 22, 56
COLORS = {CUSTOMERIO.name: "#7131ff", SNOWPLOW.name: "#e8772e"}
LOW, HIGH = -3, 3  # powers of ten


def plot(samples: Samples) -> str:
    """An SVG drawing. Rows without a ratio are left out; off the scale is at its end."""
    rows = [(row, row.ratios(row.cells(samples))) for row in ROWS if not row.share]
    rows = [(row, ratios) for row, ratios in rows if any(ratios)]
    height = TOP + LINE * len(rows) + 16
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {LEFT + WIDTH + 30} {height}" '
        'font-family="system-ui, sans-serif" font-size="12" role="img" '
        'aria-label="Ratios of this tracker to Customer.io and Snowplow">',
        '<rect width="100%" height="100%" fill="#fff"/>',
    ]
    for number, (name, color) in enumerate(COLORS.items()):
        left = LEFT + number * 150
        parts.append(f'<circle cx="{left}" cy="14" r="5" fill="{color}"/>')
        parts.append(f'<text x="{left + 10}" y="18" fill="#222">ours : {escape(name)}</text>')
    for power in range(LOW, HIGH + 1):
        x = place(10.0**power)
        color, label = ("#222", "same") if power == 0 else ("#ddd", f"{10.0**power:,g}")
        parts.append(f'<path d="M{x:.0f} {TOP - 8}V{height - 12}" stroke="{color}"/>')
        parts.append(
            f'<text x="{x:.0f}" y="{TOP - 14}" text-anchor="middle" fill="#555">{label}</text>'
        )
    for number, (row, ratios) in enumerate(rows):
        y = TOP + LINE * number + 8
        title = escape(row.title)
        parts.append(
            f'<text x="{LEFT - 24}" y="{y + 4}" text-anchor="end" fill="#222">{title}</text>'
        )
        for ratio, color in zip(ratios, COLORS.values(), strict=True):
            if ratio is not None:
                parts.append(f'<circle cx="{place(ratio):.1f}" cy="{y}" r="5" fill="{color}"/>')
    return "\n".join([*parts, "</svg>", ""])


def place(ratio: float) -> float:
    """Where on the scale a ratio stands."""
    power = log10(ratio) if ratio > 0 else floor(LOW)
    return LEFT + WIDTH * (min(max(power, LOW), HIGH) - LOW) / (HIGH - LOW)
