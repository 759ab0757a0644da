"""What a pack is made of, before it is HTML: headings, tiles, charts, tables of texts, and how figures are written."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import Any


@dataclass(frozen=True)
class Heading:
    """A heading; ``level`` 2 begins a part of the page, 3 a part of it."""

    level: int
    text: str
    aside: str = ""


@dataclass(frozen=True)
class Tiles:
    """Figures at a glance: label, figure, what stands below it."""

    tiles: Sequence[tuple[str, str, str]]


@dataclass(frozen=True)
class Charts:
    """Charts side by side: caption, SVG. ``is_wide``: each has the page's width."""

    charts: Sequence[tuple[str, str]]
    is_wide: bool = False


@dataclass(frozen=True)
class Table:
    """A table of texts; ``numbers`` are the columns that are set right, ``total`` its last row."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    numbers: frozenset[int] = field(default_factory=frozenset)
    total: Sequence[str] = ()


@dataclass(frozen=True)
class Note:
    """A remark; ``kind`` soft, plain or warn."""

    text: str
    kind: str = "soft"


@dataclass(frozen=True)
class Items:
    """A list of sentences; ``is_ordered``: numbered."""

    items: Sequence[str]
    is_ordered: bool = False


@dataclass(frozen=True)
class Quote:
    """What somebody said."""

    who: str
    about: str
    text: str
    note: str = ""


Block = Heading | Tiles | Charts | Table | Note | Items | Quote


# --------------------------------------------------------------------------------------------- figures


_NEAR = "\u00a0"  # a blank at which no line ends


def points(value: Any) -> str:
    """A score to a hundredth, half up; a dash where there is none."""
    return "–" if value is None else f"{Decimal(value).quantize(Decimal('0.01'), ROUND_HALF_UP):,}"


def plain(value: Any) -> str:
    """A number without zeros behind it."""
    if value is None:
        return "–"
    text = f"{Decimal(value):,f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


def signed(value: Any) -> str:
    """A change with its sign."""
    return "–" if value is None else f"{Decimal(value).quantize(Decimal('0.01'), ROUND_HALF_UP):+,}"


def measure(value: Any, unit: str | None, currency: str | None = None) -> str:
    """A value with its unit: 81.3 %, 1,234.50 CNY."""
    if value is None:
        return "–"
    if unit == "share":
        return f"{(Decimal(value) * 100).quantize(Decimal('0.1'), ROUND_HALF_UP):,}{_NEAR}%"
    if unit == "currency":
        return f"{points(value)}{_NEAR}{currency or ''}".rstrip()
    return plain(Decimal(value).quantize(Decimal("0.01"), ROUND_HALF_UP))


def between(row: Mapping[str, Any]) -> str:
    """The interval of a row's value, or nothing."""
    if row["ci_low"] is None or row["ci_high"] is None:
        return ""
    return f"{measure(row['ci_low'], row['unit'])}{_NEAR}– {measure(row['ci_high'], row['unit'])}"


def day(value: dt.date | None) -> str:
    """A date, or a dash."""
    return value.isoformat() if value else "–"


def number(value: Any) -> float | None:
    """A figure for a chart."""
    return None if value is None else float(value)
