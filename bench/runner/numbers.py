"""Reading of curves and showing of numbers."""
import bisect
import statistics

INFINITE = float("inf")


def median(values):
    """None for no values; infinite if the middle one is."""
    values = [value for value in values if value is not None]
    return statistics.median(values) if values else None


def edges_at(curve, second):
    """Edges after so many seconds."""
    position = bisect.bisect(curve, second, key=lambda point: point[0])
    return curve[position - 1][1] if position else 0


def at_level(curve, level):
    """Seconds until so many edges; infinite if never."""
    return next((second for second, edges in curve if edges >= level), INFINITE)


def seconds(value):
    if value is None:
        return "–"
    if value == INFINITE:
        return "never"
    return f"{value:.2f} s" if value < 10 else f"{value:.0f} s"


def span(values):
    """The median, and the range if it is one."""
    if not values:
        return "–"
    middle = seconds(median(values))
    if len(values) < 2 or min(values) == max(values):
        return middle
    low, high = seconds(min(values)), seconds(max(values))
    return f"{middle} ({low.removesuffix(' s')}–{high.removesuffix(' s')})"


def times(budget, second):
    if not second or second == INFINITE:
        return "–" if second else "∞"
    return f"{budget / second:.1f}"
