"""Whole cents, and how parts of a whole share them."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any


def cents(amount: Fraction) -> Fraction:
    """Rounded to hundredths, half away from zero."""
    scaled = amount * 100
    whole = (abs(scaled.numerator) * 2 + scaled.denominator) // (2 * scaled.denominator)
    return Fraction(whole if amount >= 0 else -whole, 100)


def running(exact: dict[Any, Fraction], amount: Fraction) -> dict[Any, Fraction]:
    """Cents of an amount by parts: differences of the rounded running total."""
    whole = sum(exact.values(), Fraction(0))
    if whole == 0 and amount != 0:
        return {}
    times = Fraction(1) if amount == cents(whole) else amount / whole
    found, reached = {}, Fraction(0)
    for key, part in exact.items():
        found[key] = cents((reached + part) * times) - cents(reached * times)
        reached += part
    return found


def money(amount: Fraction) -> Decimal:
    """An amount of whole cents as it is written."""
    return (Decimal(amount.numerator) / Decimal(amount.denominator)).quantize(Decimal("0.01"), ROUND_HALF_UP)
