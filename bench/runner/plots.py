"""Coverage over processor time, as small SVG files drawn by hand."""
import math

from .numbers import edges_at, median

COLOURS = {
    "fuzzd": "#d1242f", "libfuzzer": "#0969da", "libfuzzer_vp": "#54aeff", "afl": "#bf8700",
    "libafl": "#1a7f37", "honggfuzz": "#8250df", "go": "#00add8",
}
WIDTH, HEIGHT = 640, 320
LEFT, RIGHT, TOP, BOTTOM = 52, 96, 28, 36
FIRST_S = 0.05
POINTS = 80


def write(data, folder):
    """One file for each parser; the names."""
    folder.mkdir(exist_ok=True)
    for old in folder.glob("*.svg"):
        old.unlink()
    names = []
    for target in data.targets("parser"):
        text = draw(data, target)
        if text:
            (folder / f"{target}.svg").write_text(text)
            names.append(target)
    return names


def draw(data, target):
    end = data.budget(target)
    moments = [FIRST_S * (end / FIRST_S) ** (step / POINTS) for step in range(POINTS + 1)]
    lines = {}
    for engine in data.engines:
        runs = [run["curve"] for run in data.get(target, engine)]
        if runs:
            lines[engine] = [[edges_at(curve, moment) for curve in runs] for moment in moments]
    if not lines:
        return ""
    middles = {e: [median(values) for values in line] for e, line in lines.items()}
    top = max(max(map(max, line)) for line in lines.values()) or 1
    # What the seed reaches is the same for all: the picture starts there.
    low = min(min(map(min, line)) for line in lines.values())
    scale = Scale(end, low, max(top, low + 1))
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
             'font-family="sans-serif" font-size="11">',
             f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
             f'<text x="{LEFT}" y="17" font-size="13">{target}: edges over CPU seconds</text>']
    parts += scale.axes()
    for engine, line in lines.items():
        parts.append(band(scale, moments, line, COLOURS[engine]))
    for engine, line in middles.items():
        path = " ".join(f"{scale.x(m):.1f},{scale.y(v):.1f}" for m, v in zip(moments, line))
        parts.append(f'<polyline points="{path}" fill="none" stroke="{COLOURS[engine]}" '
                     'stroke-width="2"/>')
    parts += legend(scale, middles)
    return "\n".join([*parts, "</svg>"]) + "\n"


def band(scale, moments, line, colour):
    """From the lowest to the highest of the runs."""
    upper = [f"{scale.x(m):.0f},{scale.y(max(v)):.0f}" for m, v in zip(moments, line)]
    lower = [f"{scale.x(m):.0f},{scale.y(min(v)):.0f}" for m, v in zip(moments, line)]
    path = " ".join(upper + lower[::-1])
    return f'<polygon points="{path}" fill="{colour}" opacity="0.12"/>'


def legend(scale, middles):
    """Names at the end of the lines, moved apart where they would overlap."""
    parts, last = [], -20.0
    for engine, line in sorted(middles.items(), key=lambda item: -item[1][-1]):
        y = max(scale.y(line[-1]) + 4, last + 13)
        last = y
        parts.append(f'<text x="{WIDTH - RIGHT + 6}" y="{y:.0f}" fill="{COLOURS[engine]}">'
                     f"{engine} {line[-1]:.0f}</text>")
    return parts


class Scale:
    """Logarithmic in time, linear in edges."""

    def __init__(self, end, low, high):
        self.end, self.low, self.high = end, low, high

    def x(self, second):
        share = math.log(max(second, FIRST_S) / FIRST_S) / math.log(self.end / FIRST_S)
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def y(self, edges):
        share = (edges - self.low) / (self.high - self.low)
        return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)

    def axes(self):
        parts = []
        bottom = HEIGHT - BOTTOM
        moments = [m for m in (0.05, 0.1, 0.3, 1, 3, 10, 30, 100, 300) if m < self.end * 0.8]
        for moment in [*moments, self.end]:
            x = self.x(moment)
            parts.append(f'<path d="M{x:.1f} {TOP}V{bottom}" stroke="#ddd"/>'
                         f'<text x="{x:.1f}" y="{bottom + 16}" text-anchor="middle">'
                         f"{moment:g}</text>")
        for step in range(5):
            edges = self.low + (self.high - self.low) * step / 4
            y = self.y(edges)
            parts.append(f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>'
                         f'<text x="{LEFT - 5}" y="{y + 4:.1f}" text-anchor="end">'
                         f"{edges:.0f}</text>")
        return parts
