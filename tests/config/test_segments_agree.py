"""Compiled stretches pay what the definitions of docs/plans.md say, on random tables and figures."""

from __future__ import annotations

from decimal import Decimal, localcontext
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dealermart.config import Segment, rate_segments
from dealermart.config.plan_rate import Band, Rate

ZERO = Decimal(0)
TENTHS = st.integers(-30, 60).map(lambda number: Decimal(number) / 10)
VALUES = st.integers(-50, 90).map(Decimal)

Paid = Decimal | None


def slice_of(y: Decimal, low: Decimal | None, high: Decimal | None) -> Decimal:
    """The part between 0 and y that lies between two ends, negative below 0."""

    def clip(value: Decimal) -> Decimal:
        value = value if high is None else min(value, high)
        return value if low is None else max(value, low)

    return clip(y) - clip(ZERO)


def holds(x: Decimal, lower: Decimal | None, upper: Decimal | None) -> bool:
    return (lower is None or x >= lower) and (upper is None or x < upper)


def stretches(rate: Rate) -> list[tuple[Decimal | None, Decimal | None, int, bool]]:
    """Lower and upper end, the band there or at whose edge it lies, and whether it is inside of it."""
    bands = rate.bands
    found: list[tuple[Decimal | None, Decimal | None, int, bool]] = []
    if bands[0].lower is not None:
        found.append((None, bands[0].lower, 0, False))
    for number, band in enumerate(bands):
        if number and bands[number - 1].upper != band.lower:
            found.append((bands[number - 1].upper, band.lower, number - 1, False))
        found.append((band.lower, band.upper, number, True))
    if bands[-1].upper is not None:
        found.append((bands[-1].upper, None, len(bands) - 1, False))
    return found


def by_definition(rate: Rate, x: Decimal) -> Paid:
    """What values come to at x: of slices and totals x times value summed up, of steps and whole bands the value."""
    bands, outside = rate.bands, rate.outside
    lower, _upper, number, inside = next(part for part in stretches(rate) if holds(x, part[0], part[1]))
    if rate.rule == "whole_base":
        return bands[number].value if inside or outside == "edge" else None if outside == "hold" else ZERO
    if rate.rule == "marginal" and rate.pays == "fixed":
        if not inside and outside == "hold":
            return None
        reached = [band for band in bands if band.lower is None or band.lower <= x]
        if not inside and lower is None and outside == "edge":
            reached = [bands[0]]
        return sum((band.value for band in reached), ZERO)
    if rate.rule == "whole_overage":
        if not inside and outside == "hold":
            return None
        if not inside and outside == "zero":
            if lower is None:
                return ZERO
            x = lower  # what was reached stays
        end = bands[0].upper or ZERO
        if number == 0:
            return bands[0].value * x
        return bands[0].value * end + bands[number].value * (x - end)
    if rate.rule == "rate_from_start" and not inside and outside == "hold":
        return None
    # Slices; in an interpolated band the value is spread over its width.
    total: Paid = ZERO
    back = [no for no, band in enumerate(bands) if band.back_to_start and band.lower is not None and band.lower <= x]
    begin = ZERO
    if rate.rule == "rate_from_start" and back:
        last = bands[back[-1]]
        begin = x if last.upper is None else min(x, last.upper)
        total = last.value * begin
    for low, high, no, within in stretches(rate):
        value: Paid = bands[no].value
        if rate.rule == "interpolated":
            width = (bands[no].upper or ZERO) - (bands[no].lower or ZERO)
            value = bands[no].value / width
        if not within and outside != "edge":
            value = ZERO if outside == "zero" else None
        part = slice_of(x, low, high) - slice_of(begin, low, high)
        if part and (total is not None):
            total = None if value is None else total + value * part
    return total


def compiled(rate: Rate, parts: list[Segment], x: Decimal) -> Paid:
    """The same from the stretches: slices are summed, of totals and values the stretch of x decides."""
    if rate.is_sliced:
        total: Paid = ZERO
        for part in parts:
            piece = slice_of(x, part.lower, part.upper)
            if piece and total is not None:
                total = None if part.rise is None else total + part.rise / part.run * piece
        return total
    (part,) = [part for part in parts if holds(x, part.lower, part.upper)]
    if part.offset is None or part.rise is None:
        return None
    return part.offset + part.rise / part.run * (x - (part.lower or ZERO))


@st.composite
def tables(draw: Any) -> Rate:
    """A sound table of up to four bands, with gaps and open ends."""
    rule = draw(st.sampled_from(["marginal", "whole_base", "whole_overage", "interpolated", "rate_from_start"]))
    ends = sorted(draw(st.lists(TENTHS, min_size=4, max_size=8, unique=True)))
    bounds: list[tuple[Decimal | None, Decimal | None]] = []
    position = 0
    while position + 1 < len(ends):
        bounds.append((ends[position], ends[position + 1]))
        position += 1 if draw(st.booleans()) else 2
    if rule != "interpolated" and draw(st.booleans()):
        bounds[-1] = (bounds[-1][0], None)
    if rule != "interpolated" and draw(st.booleans()):
        bounds[0] = (None, bounds[0][1])
    if rule == "whole_overage" and (len(bounds) < 2):
        rule = "whole_base"
    above = [number for number, (low, _) in enumerate(bounds) if low is not None and low > 0]
    back = draw(st.sampled_from(above)) if above and rule == "rate_from_start" else -1
    bands = tuple(
        Band.model_validate({"from": low, "to": high, "value": draw(VALUES), "back_to_start": number == back})
        for number, (low, high) in enumerate(bounds)
    )
    pays = "fixed" if rule == "interpolated" else draw(st.sampled_from(["per_unit", "fixed"]))
    if rule in ("whole_overage", "rate_from_start"):
        pays = "per_unit"
    return Rate(
        basis="units", rule=rule, pays=pays, outside=draw(st.sampled_from(["zero", "edge", "hold"])), bands=bands
    )


def same(left: Paid, right: Paid) -> bool:
    if left is None or right is None:
        return left is right
    return abs(left - right) < Decimal("1e-9")


@settings(max_examples=600, deadline=None)
@given(rate=tables(), x=st.integers(-50, 90).map(lambda number: Decimal(number) / 10))
def test_stretches_pay_as_defined(rate: Rate, x: Decimal) -> None:
    with localcontext() as context:
        context.prec = 50
        parts = rate_segments(rate)
        assert parts[0].lower is None and parts[-1].upper is None
        assert all(left.upper == right.lower for left, right in pairwise(parts))
        assert same(compiled(rate, parts, x), by_definition(rate, x)), (rate, x)


@pytest.mark.parametrize("x", ["-1", "0", "0.5", "1", "1.25", "1.5", "9"])
def test_a_curve_goes_through_its_points(x: str) -> None:
    points = [{"at": 0.5, "value": 10}, {"at": 1, "value": 20}, {"at": 1.5, "value": 60}]
    rate = Rate.model_validate(
        {"basis": "units", "rule": "curve", "pays": "fixed", "outside": "edge", "points": points}
    )
    expected = {"-1": 10, "0": 10, "0.5": 10, "1": 20, "1.25": 40, "1.5": 60, "9": 60}
    assert compiled(rate, rate_segments(rate), Decimal(x)) == expected[x]
