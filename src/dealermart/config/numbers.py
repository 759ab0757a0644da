"""Numbers as people write them."""

from __future__ import annotations

from decimal import Decimal


def plain(value: Decimal | int) -> str:
    """Without trailing zeros behind the point and without an exponent: 2.50 is 2.5, 1E+3 is 1000."""
    text = f"{value:f}" if isinstance(value, Decimal) else str(value)
    return text.rstrip("0").rstrip(".") if "." in text else text
