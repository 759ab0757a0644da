"""Texts as sources write them, read as the contract's types."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import duckdb
import pytest

from dealermart.casts import cast_sql
from dealermart.contracts import Column
from dealermart.lake import literal
from dealermart.profiles import FileSpec

POINT = FileSpec(name="f", pattern="*", format="csv", dates=("%Y/%m/%d", "%Y年%m月%d日"))
COMMA = FileSpec(name="f", pattern="*", format="csv", dates=("%d.%m.%Y",), decimal=",")
MONEY = "decimal(18,4)"


@pytest.mark.parametrize(
    ("kind", "text", "spec", "expected"),
    [
        ("string", "007", POINT, "007"),
        ("boolean", "是", POINT, True),
        ("boolean", "N", POINT, False),
        ("boolean", "maybe", POINT, None),
        ("integer", "12", POINT, 12),
        ("integer", "-1,234", POINT, -1234),
        ("integer", "12.0", POINT, 12),
        ("integer", "1.5", POINT, None),
        ("integer", "12,34", POINT, None),
        ("integer", "99999999999999999999", POINT, None),
        (MONEY, "1,234.50", POINT, Decimal("1234.5000")),
        (MONEY, "1.234,50", COMMA, Decimal("1234.5000")),
        (MONEY, "1234,5", COMMA, Decimal("1234.5000")),
        (MONEY, "1.5", COMMA, None),
        (MONEY, "1,5", POINT, None),
        (MONEY, "2.9E-2", POINT, Decimal("0.0290")),
        (MONEY, ".5", POINT, Decimal("0.5000")),
        (MONEY, "-", POINT, None),
        (MONEY, ".", POINT, None),
        (MONEY, "1e400", POINT, None),
        (MONEY, "NaN", POINT, None),
        (MONEY, "0.00005", POINT, Decimal("0.0001")),
        ("date", "2026-03-01", POINT, dt.date(2026, 3, 1)),
        ("date", "2026-03-01 00:00:00.000", POINT, dt.date(2026, 3, 1)),
        ("date", "2026/3/1", POINT, dt.date(2026, 3, 1)),
        ("date", "2026年3月1日", POINT, dt.date(2026, 3, 1)),
        ("date", "01.03.2026", COMMA, dt.date(2026, 3, 1)),
        ("date", "01.03.2026", POINT, None),
        ("date", "2026-02-30", POINT, None),
        ("date", "03/04/2026", POINT, None),
        ("timestamp", "2026-03-01T18:30:05", POINT, dt.datetime(2026, 3, 1, 18, 30, 5)),
    ],
)
def test_texts_become_values_or_nothing(kind: str, text: str, spec: FileSpec, expected: object) -> None:
    column = Column(name="x", type=kind, description="a column")
    assert duckdb.sql(f"select {cast_sql(literal(text), column, spec)}").fetchall() == [(expected,)]
