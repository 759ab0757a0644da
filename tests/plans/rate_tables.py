"""What one rate table pays on a measure: the bands walked through one by one, as a person would with a pencil.

A total is a list of stretches: from where to where which amount per unit of y. An event earns what it fills of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from typing import Any


@dataclass(frozen=True)
class Basis:
    """What a table is applied to.

    ``y`` and ``size`` (S) as docs/plans.md names them, ``measure`` and ``units`` of the table's events, ``x_whole`` the
    x of rules that pay by the value at x, ``attainment`` that of the whole component, ``pay`` target pay x weight.
    """

    y: Fraction | None
    size: Fraction | None
    measure: Fraction
    units: Fraction
    x_whole: Fraction | None
    attainment: Fraction | None
    pay: Fraction | None


@dataclass
class Piece:
    """A line to be: band (from 1; 0: x lies in none; None: there is no x), its base and what it earns, exactly.

    ``stretch`` tells lines of one number apart: those of documents in a band (odd) and beside it (even) are two.
    """

    band: int | None
    base: Fraction
    amount: Fraction
    stretch: int = 0


@dataclass
class Reckoned:
    """What a table comes to: pieces, or a reason why it is held or not paid.

    ``stretches`` say what each part of y earned (from, to, amount per y, stretch of the line that it stands in); None
    where the pay is on everything.
    """

    pieces: list[Piece] = field(default_factory=list)
    held: str | None = None
    reason: str | None = None
    stretches: list[tuple[Fraction | None, Fraction | None, Fraction, int]] | None = None
    steps: list[tuple[Fraction, Fraction]] | None = None  # (mark of y, amount added there)

    @property
    def total(self) -> Fraction:
        return sum((piece.amount for piece in self.pieces), Fraction(0))


Bands = list[tuple[Fraction | None, Fraction | None, Fraction, bool]]


def bands_of(rate: Any) -> Bands:
    """The bands as numbers: lower end, upper end, value, whether it goes back to the start."""
    found: Bands = []
    for band in rate.all_bands:
        lower = None if band.lower is None else Fraction(band.lower)
        upper = None if band.upper is None else Fraction(band.upper)
        found.append((lower, upper, Fraction(band.value), band.back_to_start))
    return found


def part_between(y: Fraction, low: Fraction | None, high: Fraction | None) -> Fraction:
    """The signed part of the way from 0 to y that lies between two marks."""
    begin, finish = (Fraction(0), y) if y >= 0 else (y, Fraction(0))
    if low is not None:
        begin = max(begin, low)
    if high is not None:
        finish = min(finish, high)
    width = max(Fraction(0), finish - begin)
    return width if y >= 0 else -width


def where(bands: Bands, x: Fraction) -> int | None:
    """The band in which x lies; a band holds its lower end and not its upper."""
    for index, (lower, upper, _, _) in enumerate(bands):
        if (lower is None or lower <= x) and (upper is None or x < upper):
            return index
    return None


def stretch_at(bands: Bands, x: Fraction) -> int:
    """Below the first band 0, in it 1, between it and the second 2, and so on."""
    at = where(bands, x)
    if at is not None:
        return 2 * at + 1
    return 2 * sum(lower is None or lower <= x for lower, _, _, _ in bands)


def nearest(bands: Bands, x: Fraction) -> int:
    """Outside of the bands the band beside x, in a gap that below it."""
    below = [index for index, band in enumerate(bands) if band[0] is None or band[0] <= x]
    return below[-1] if below else 0


def reckon(rate: Any, basis: Basis) -> Reckoned:
    """What the table pays."""
    rule = rate.band_rule
    if rule in ("whole_base", "curve"):
        return _by_value(rate, basis)
    if basis.size is None or basis.y is None:
        return Reckoned(reason="unknown")
    if basis.size <= 0:
        return Reckoned(reason="no target")
    if rule == "marginal" and rate.pays == "fixed":
        return _steps(rate, basis)
    if rule in ("marginal", "interpolated"):
        return _sliced(rate, basis)
    return _stretched(rate, basis)


def _by_value(rate: Any, basis: Basis) -> Reckoned:
    """whole_base and curve: the value at x, on everything."""
    outside, pays = rate.outside, rate.pays
    band, stretch = 0, 1
    if rate.basis == "none":
        value = Fraction(rate.value)
    else:
        x = basis.x_whole
        if x is None:
            return Reckoned(reason="unknown")
        if rate.band_rule == "curve":
            points = [(Fraction(point.at), Fraction(point.value)) for point in rate.points]
            bands: Bands = [(left, right, low, False) for (left, low), (right, _) in pairwise(points)]
        else:
            bands = bands_of(rate)
        at, stretch = where(bands, x), stretch_at(bands, x)
        if at is None:
            if outside == "hold":
                return Reckoned(held="outside of the bands")
            if outside == "zero":
                return Reckoned([Piece(0, basis.measure, Fraction(0), stretch)], reason="outside of the bands")
        band = nearest(bands, x) if at is None else at
        value = _on_curve(points, x) if rate.band_rule == "curve" else bands[band][2]
    amount = _whole_amount(rate, basis, value)
    if amount is None:
        return (
            Reckoned(held="no target pay")
            if pays in ("multiplier", "payout_pct") and basis.pay is None
            else Reckoned(reason="no target")
        )
    return Reckoned([Piece(band + 1, basis.measure, amount, stretch)])


def _on_curve(points: list[tuple[Fraction, Fraction]], x: Fraction) -> Fraction:
    """The value at x; beyond the ends that of the end."""
    x = min(max(x, points[0][0]), points[-1][0])
    for (left, low), (right, high) in pairwise(points):
        if x <= right:
            return low + (high - low) * (x - left) / (right - left)
    return points[-1][1]


def _whole_amount(rate: Any, basis: Basis, value: Fraction) -> Fraction | None:
    pays = rate.pays
    if pays == "pct":
        return basis.measure * value / 100
    if pays == "per_unit":
        return basis.units * value
    if pays == "fixed":
        return value
    if pays == "base_rate_factor":
        return basis.measure * Fraction(rate.base_rate) / 100 * value
    if basis.pay is None:
        return None
    if pays == "payout_pct":
        return basis.pay * value / 100
    return None if basis.attainment is None else basis.pay * basis.attainment * value


def _per_y(rate: Any, basis: Basis, value: Fraction) -> Fraction | None:
    """What one of y earns at a value; None: no target pay."""
    assert basis.y is not None and basis.size is not None
    pays = rate.pays
    if pays in ("pct", "base_rate_factor"):
        share = value / 100 if pays == "pct" else Fraction(rate.base_rate) / 100 * value
        if rate.basis == "units":
            return Fraction(0) if basis.units == 0 else basis.measure / basis.units * share
        return share
    if pays == "per_unit":
        return Fraction(0) if basis.y == 0 else basis.units / basis.y * value
    if basis.pay is None:
        return None
    return basis.pay / basis.size * (value if pays == "multiplier" else value / 100)


def _marks(
    band: tuple[Fraction | None, Fraction | None, Fraction, bool], size: Fraction
) -> tuple[Fraction | None, Fraction | None]:
    lower, upper, _, _ = band
    return (None if lower is None else lower * size, None if upper is None else upper * size)


def _sliced(rate: Any, basis: Basis) -> Reckoned:
    """marginal and interpolated: each band on its own slice, a line each."""
    assert basis.y is not None and basis.size is not None
    bands, outside = bands_of(rate), rate.outside
    done = Reckoned(stretches=[])
    covered = Fraction(0)
    for index, band in enumerate(bands):
        low, high = _marks(band, basis.size)
        if outside == "edge":
            if index == 0:
                low = None
            high = None if index == len(bands) - 1 else _marks(bands[index + 1], basis.size)[0]
        if rate.band_rule == "interpolated":
            assert band[0] is not None and band[1] is not None
            width = (band[1] - band[0]) * basis.size
            value: Fraction | None = band[2]
            if rate.pays == "payout_pct":
                value = None if basis.pay is None else basis.pay * band[2] / 100
            each = None if value is None else value / width
        else:
            each = _per_y(rate, basis, band[2])
        if each is None:
            return Reckoned(held="no target pay")
        part = part_between(basis.y, low, high)
        covered += part
        assert done.stretches is not None
        done.stretches.append((low, high, each, 2 * index + 1))
        if part:
            done.pieces.append(Piece(index + 1, part, part * each, 2 * index + 1))
    if outside == "hold" and covered != basis.y:
        done.held = "outside of the bands"
    if not done.pieces:
        done.pieces.append(Piece(None, Fraction(0), Fraction(0)))
        done.reason = "outside of the bands" if basis.y else "nothing sold"
    return done


def _steps(rate: Any, basis: Basis) -> Reckoned:
    """marginal that pays fixed: the values of all bands with l <= x."""
    assert basis.y is not None and basis.size is not None
    bands, outside, x = bands_of(rate), rate.outside, basis.y / basis.size
    at = where(bands, x)
    if outside == "hold" and at is None:
        return Reckoned(held="outside of the bands")
    reached = [index for index, band in enumerate(bands) if band[0] is None or band[0] <= x]
    if not reached and outside == "edge":
        reached = [0]
    amount = sum((bands[index][2] for index in reached), Fraction(0))
    steps = [((bands[index][0] or Fraction(0)) * basis.size, bands[index][2]) for index in reached]
    # Beyond the bands and in gaps the total stays, but x lies in no band.
    band = 0 if at is None and outside == "zero" else reached[-1] + 1
    done = Reckoned([Piece(band, basis.measure, amount, stretch_at(bands, x))], steps=steps)
    if not reached:
        done.reason = "outside of the bands"
    return done


def _stretched(rate: Any, basis: Basis) -> Reckoned:
    """whole_overage and rate_from_start: which rates hold depends on where x lies; one line."""
    assert basis.y is not None and basis.size is not None
    bands, outside, size = bands_of(rate), rate.outside, basis.size
    x = basis.y / size
    at = where(bands, x)
    if at is None and outside == "hold":
        return Reckoned(held="outside of the bands")
    values: list[tuple[Fraction | None, Fraction | None, Fraction]] = []  # from, to (of y), value
    if rate.band_rule == "whole_overage":
        end = bands[0][1]
        assert end is not None
        beside = nearest(bands, x) if at is None else at
        if x < end:
            if outside == "edge" or bands[0][0] is None or x >= bands[0][0]:
                values.append((None, end * size, bands[0][2]))
        else:
            stop = None
            if at is None and outside == "zero":
                upper = bands[beside][1]
                assert upper is not None
                stop = upper * size
            values.append((None, end * size, bands[0][2]))
            if beside > 0:
                values.append((end * size, stop, bands[beside][2]))
            elif outside == "edge":  # in a gap beyond the first band, whose rate goes on
                values.append((end * size, None, bands[0][2]))
        band = beside + 1
    else:
        if outside == "hold":
            problem = _held_from_start(bands, x)
            if problem:
                return Reckoned(held="outside of the bands")
        back = [index for index, found in enumerate(bands) if found[3] and found[0] is not None and found[0] <= x]
        first = back[-1] if back else 0
        for index in range(first, len(bands)):
            low, high = _marks(bands[index], size)
            if outside == "edge":
                if index == 0:
                    low = None
                high = None if index == len(bands) - 1 else _marks(bands[index + 1], size)[0]
            if back and index == first:
                low = None
            values.append((low, high, bands[index][2]))
        band = (nearest(bands, x) if at is None else at) + 1
    done = Reckoned(stretches=[])
    total = Fraction(0)
    below = at is None and outside == "zero" and (bands[0][0] is not None and x < bands[0][0])
    stretch = stretch_at(bands, x)
    for low, high, value in values:
        each = _per_y(rate, basis, value)
        if each is None:
            return Reckoned(held="no target pay")
        assert done.stretches is not None
        done.stretches.append((low, high, each, stretch))
        total += part_between(basis.y, low, high) * each
    done.pieces.append(Piece(0 if at is None and outside == "zero" else band, basis.measure, total, stretch))
    if below:
        done.reason = "outside of the bands"
    return done


def _held_from_start(bands: Bands, x: Fraction) -> bool:
    """Whether a gap lies below x, and no band that goes back to the start begins between the gap and x."""
    if x < 0:
        return where(bands, x) is None
    back = [found[0] for found in bands if found[3] and found[0] is not None and found[0] <= x]
    start = max(back) if back else Fraction(0)
    marks = [found for found in bands if (found[1] is None or found[1] > start)]
    reached = start
    for lower, upper, _, _ in marks:
        if lower is not None and lower > reached and x > reached:
            return True
        if upper is None or upper > x:
            return False
        reached = upper
    return x >= reached
