"""Rate tables compiled into stretches that cover every value from minus to plus infinity exactly once.

Each stretch carries ``offset``, ``rise`` and ``run`` of a straight line, so that the SQL has one formula for all rules
and no special case for gaps, open ends and negative totals: ``offset + rise / run x (x - lower)``, where ``lower``
counts as 0 in a stretch without lower end. Rise and run stay apart, so that the division comes last and once.

What the line means depends on the rule. Slices (``Rate.is_sliced``): ``rise / run`` is the rate of the slice and
``offset`` is 0. Totals (``whole_overage``, ``rate_from_start``, ``marginal`` that pays fixed amounts): what is paid in
all at x, in units of x times value. Values (``whole_base``, ``curve``): the value that holds at x.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Context, Decimal, localcontext
from itertools import pairwise
from typing import NamedTuple, Protocol

from dealermart.config.plan_rate import Outside, Rate

PLACES = Decimal("1e-12")

ZERO = Decimal(0)

HUNDRED = Decimal(100)

ONE = Decimal(1)

Line = tuple[Decimal, Decimal, Decimal] | None
"""Offset, rise and run; None: held."""

NOTHING: Line = (ZERO, ZERO, ONE)


class Segment(NamedTuple):
    """A stretch: from ``lower`` (inclusive; None: no lower end) to ``upper`` (exclusive; None: open).

    ``band_no`` is the band's number in the file, 0 outside of the bands; ``value`` what the file says there, percents
    as fractions. ``offset``, ``rise`` and ``run`` have at most 12 decimals; the first two are None where the stretch
    waits for a person; ``outside`` names the plan's rule where the stretch lies in no band.
    """

    band_no: int
    lower: Decimal | None
    upper: Decimal | None
    offset: Decimal | None
    rise: Decimal | None
    run: Decimal
    value: Decimal | None
    outside: Outside | None


class _Stretch(NamedTuple):
    """A stretch before it has a line. ``beside`` is the band at whose edge it lies; in a band that band itself."""

    lower: Decimal | None
    upper: Decimal | None
    inside: bool
    beside: int


def rate_segments(rate: Rate) -> list[Segment]:
    """All stretches of a rate that has no fault, in ascending order; no gap, no overlap, unbounded at both ends."""
    with localcontext(Context(prec=60, rounding=ROUND_HALF_UP)):
        stretches = _stretches(rate)
        values = [_fraction(rate, value) for value in _values(rate)]
        lines = _LINES.get(rate.band_rule, _stepped)(rate, stretches, values)
        found = []
        for stretch, line in zip(stretches, lines, strict=True):
            offset, rise, run = (
                (None, None, ONE) if line is None else (_rounded(line[0]), _rounded(line[1]), _rounded(line[2]))
            )
            # What goes on at the edge of a band is on the line of the band.
            is_banded = stretch.inside or rate.outside == "edge"
            number, value = (stretch.beside + 1, values[stretch.beside]) if is_banded else (0, None)
            outside = None if stretch.inside else rate.outside or "hold"
            found.append(Segment(number, stretch.lower, stretch.upper, offset, rise, run, value, outside))
        return found


def modifier_segments(points: list[tuple[Decimal, Decimal]]) -> list[Segment]:
    """A curve of factors, given as (value, factor) in ascending order; beyond its ends the factors of the ends hold."""
    with localcontext(Context(prec=60, rounding=ROUND_HALF_UP)):
        (first, low), (last, high) = points[0], points[-1]
        found = [Segment(0, None, first, _rounded(low), ZERO, ONE, None, "edge")]
        for number, ((left, start), (right, end)) in enumerate(pairwise(points), start=1):
            found.append(
                Segment(
                    number, left, right, _rounded(start), _rounded(end - start), _rounded(right - left), start, None
                )
            )
        found.append(Segment(0, last, None, _rounded(high), ZERO, ONE, None, "edge"))
        return found


def _rounded(value: Decimal) -> Decimal:
    return value.quantize(PLACES)


def _fraction(rate: Rate, value: Decimal) -> Decimal:
    return value / HUNDRED if rate.pays in ("pct", "payout_pct") else value


def _values(rate: Rate) -> list[Decimal]:
    return [point.value for point in rate.points] or [band.value for band in rate.all_bands]


def _ends(rate: Rate) -> list[tuple[Decimal | None, Decimal | None]]:
    if rate.points:
        return [(left.at, right.at) for left, right in pairwise(rate.points)]
    return [(band.lower, band.upper) for band in rate.all_bands]


def _stretches(rate: Rate) -> list[_Stretch]:
    ends = _ends(rate)
    found = []
    if ends[0][0] is not None:
        found.append(_Stretch(None, ends[0][0], False, 0))
    for index, (lower, upper) in enumerate(ends):
        if index and lower != ends[index - 1][1]:
            found.append(_Stretch(ends[index - 1][1], lower, False, index - 1))
        found.append(_Stretch(lower, upper, True, index))
    if ends[-1][1] is not None:
        found.append(_Stretch(ends[-1][1], None, False, len(ends) - 1))
    return _widened(found) if rate.is_sliced and rate.outside == "edge" else found


def _widened(stretches: list[_Stretch]) -> list[_Stretch]:
    """Slices that go on at their edges are one slice with what lies there, and one line of the statement."""
    found: list[_Stretch] = []
    for stretch in stretches:
        if found and found[-1].beside == stretch.beside:
            found[-1] = _Stretch(found[-1].lower, stretch.upper, True, stretch.beside)
        else:
            found.append(stretch._replace(inside=True))
    return found


def _sliced(rate: Rate, stretches: list[_Stretch], values: list[Decimal]) -> list[Line]:
    """The rate of each slice; an interpolated band spreads its value over its width."""
    ends = _ends(rate)
    widths = [upper - lower if lower is not None and upper is not None else None for lower, upper in ends]
    runs = [width if rate.band_rule == "interpolated" and width else ONE for width in widths]
    return [
        _outside(rate, stretch, NOTHING, (ZERO, values[stretch.beside], runs[stretch.beside])) for stretch in stretches
    ]


def _outside(rate: Rate, stretch: _Stretch, zero: Line, line: Line) -> Line:
    """The line of the band in and at the edge of it, else what ``outside`` says."""
    if stretch.inside or rate.outside == "edge":
        return line
    return zero if rate.outside == "zero" else None


def _stepped(rate: Rate, stretches: list[_Stretch], values: list[Decimal]) -> list[Line]:
    """One value for each band."""
    return [_outside(rate, stretch, NOTHING, (values[stretch.beside], ZERO, ONE)) for stretch in stretches]


def _curved(rate: Rate, stretches: list[_Stretch], values: list[Decimal]) -> list[Line]:
    """Straight from point to point; at the edges the values of the end points."""
    found: list[Line] = []
    for number, stretch in enumerate(stretches):
        if stretch.inside:
            left, right = rate.points[stretch.beside], rate.points[stretch.beside + 1]
            start, end = values[stretch.beside], values[stretch.beside + 1]
            found.append((start, end - start, right.at - left.at))
        else:
            found.append(_outside(rate, stretch, NOTHING, (values[0] if number == 0 else values[-1], ZERO, ONE)))
    return found


def _summed(rate: Rate, stretches: list[_Stretch], values: list[Decimal]) -> list[Line]:
    """Fixed amounts of all bands reached; a gap and what lies above add nothing to it."""
    found: list[Line] = []
    for number, stretch in enumerate(stretches):
        reached = sum(values[: stretch.beside + 1], ZERO)
        below = number == 0 and not stretch.inside
        found.append(_outside(rate, stretch, (ZERO if below else reached, ZERO, ONE), (reached, ZERO, ONE)))
    return found


def _marginal(rate: Rate, stretches: list[_Stretch], values: list[Decimal]) -> list[Line]:
    return (_summed if rate.pays == "fixed" else _sliced)(rate, stretches, values)


def _overage(rate: Rate, stretches: list[_Stretch], values: list[Decimal]) -> list[Line]:
    """The first band on everything up to its end; beyond it the band reached on all that lies beyond."""
    ends = _ends(rate)
    base, target = values[0], ends[0][1] or ZERO

    def total(band: int, at: Decimal) -> Decimal:
        return base * at if band == 0 else base * target + values[band] * (at - target)

    found: list[Line] = []
    for number, stretch in enumerate(stretches):
        at = stretch.lower or ZERO
        reached = total(stretch.beside, at)
        below = number == 0 and not stretch.inside
        zero = (ZERO if below else reached, ZERO, ONE)
        found.append(_outside(rate, stretch, zero, (reached, values[stretch.beside], ONE)))
    return found


def _from_start(rate: Rate, stretches: list[_Stretch], values: list[Decimal]) -> list[Line]:
    """Totals of the slices counted from 0; a band that goes back to the start pays its value on all below it too.

    What lies above a held stretch is held with it, because a part of its total waits; a band that goes back to the
    start ends that.
    """
    slopes: list[Decimal | None] = []
    for stretch in stretches:
        line = _outside(rate, stretch, NOTHING, (ZERO, values[stretch.beside], ONE))
        slopes.append(None if line is None else line[1])

    def marginal(upto: Decimal) -> Decimal | None:
        """The slices between 0 and ``upto``, negative below 0."""
        total = ZERO
        for stretch, slope in zip(stretches, slopes, strict=True):
            low = max(min(ZERO, upto), stretch.lower if stretch.lower is not None else min(ZERO, upto))
            high = min(max(ZERO, upto), stretch.upper if stretch.upper is not None else max(ZERO, upto))
            if high > low:
                if slope is None:
                    return None
                total += slope * (high - low) * (1 if upto > 0 else -1)
        return total

    found: list[Line] = []
    total: Decimal | None = None  # at the lower end of the stretch, once a band went back to the start
    went_back = False
    for stretch, slope in zip(stretches, slopes, strict=True):
        lower = stretch.lower if stretch.lower is not None else ZERO
        if stretch.inside and rate.all_bands[stretch.beside].back_to_start and slope is not None:
            went_back, total = True, slope * lower
        elif not went_back:
            total = marginal(lower)
            if stretch.lower is None and stretch.upper is not None and stretch.upper < 0:
                # The line is stated at 0, which lies beyond its end.
                end = marginal(stretch.upper)
                total = None if end is None or slope is None else end - slope * stretch.upper
        found.append(None if total is None or slope is None else (total, slope, ONE))
        if went_back:
            width = None if stretch.upper is None else stretch.upper - lower
            total = None if total is None or slope is None or width is None else total + slope * width
    return found


class _Lines(Protocol):
    def __call__(self, rate: Rate, stretches: list[_Stretch], values: list[Decimal], /) -> list[Line]: ...


_LINES: dict[str, _Lines] = {
    "marginal": _marginal,
    "interpolated": _sliced,
    "whole_base": _stepped,
    "whole_overage": _overage,
    "curve": _curved,
    "rate_from_start": _from_start,
}
