"""Texts as sources write them, read as the contract's types. Values worked out by hand, and by Python's decimal."""

from __future__ import annotations

import datetime as dt
from decimal import ROUND_HALF_UP, Decimal

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from dealermart.base import literal
from dealermart.config import Column, FileSpec
from dealermart.mapping import cast_sql
from dealermart.mapping.casts import other_currency_sql, plain_sql, reason_sql

NOTHING = FileSpec(name="f", pattern="*", format="csv")
SLASHES = FileSpec(name="f", pattern="*", format="csv", dates=("%d/%m/%Y",))
AMERICAN = FileSpec(name="f", pattern="*", format="csv", dates=("%m/%d/%Y", "%m.%d.%Y", "%d-%b-%Y"))
COMMA = FileSpec(name="f", pattern="*", format="csv", decimal=",")
MONEY = "decimal(18,4)"
FIRST_OF_MARCH = dt.date(2026, 3, 1)


def column_of(kind: str, name: str = "x") -> Column:
    return Column(name=name, type=kind, description="a column")


def cast(kind: str, text: str, spec: FileSpec = NOTHING, name: str = "x", **more: object) -> object:
    sql = cast_sql("text", column_of(kind, name), spec, **more)
    return duckdb.sql(f"select {sql} from (select {literal(text)} as text, 'd1' as _delivery_id)").fetchall()[0][0]


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("string", "007", "007"),
        ("boolean", "是", True),
        ("boolean", "N", False),
        ("boolean", "maybe", None),
        ("integer", "12", 12),
        ("integer", "-1,234", -1234),
        ("integer", "12.0", 12),
        ("integer", "1.5", None),
        ("integer", "12,34", None),
        ("integer", "99999999999999999999", None),
        ("integer", "9223372036854775807", 2**63 - 1),
        ("integer", "0x1F", None),
        ("integer", "1_000", None),
        ("integer", "３", 3),
        ("integer", "2万", 20000),
        ("integer", "1e3", 1000),
    ],
)
def test_text_boolean_integer(kind: str, text: str, expected: object) -> None:
    assert cast(kind, text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1,234.50", "1234.5"),
        ("1,234,567", "1234567"),
        ("12,34", None),  # neither grouped by thousands nor with this decimal sign
        ("1,5", None),
        ("1,2345", None),
        ("12,34,567", None),  # Indian grouping
        ("1.234", "1.234"),  # the profile's sign decides
        ("1.234,50", None),
        ("2.9E-2", "0.029"),
        ("-2.9e+3", "-2900"),
        (".5", "0.5"),
        ("5.", "5"),
        ("+7", "7"),
        ("-0", "0"),
        ("0.00005", "0.0001"),
        ("-", None),
        (".", None),
        ("e5", None),
        ("1e400", None),
        ("NaN", None),
        ("inf", None),
        ("1_000", None),
        ("0x10", None),
        ("1 2", None),
        ("99999999999999.9999", "99999999999999.9999"),
        ("100000000000000", None),  # more than decimal(18,4) holds
        # signs
        ("(500.00)", "-500"),
        ("（1,234.50）", "-1234.5"),
        ("500-", "-500"),
        ("1,234.50 -", "-1234.5"),
        ("−500", "-500"),
        ("–500", "-500"),
        ("－５００", "-500"),
        ("- 500", "-500"),
        ("--500", None),
        ("-500-", None),
        ("(-500)", None),
        ("(500", None),
        ("500)", None),
        ("()", None),
        # full-width
        ("１２３４．５", "1234.5"),
        ("１，２３４．５０", "1234.5"),
        # groups by other signs
        ("1 234.50", "1234.5"),
        ("1\xa0234\xa0567.5", "1234567.5"),
        ("1\u202f234.5", "1234.5"),
        ("1'234.50", "1234.5"),
        ("1’234’567", "1234567"),
        ("1'234,567", None),  # two signs in one number
        ("1 23", None),
        # currencies
        ("¥1,234", "1234"),
        ("￥1,234.50", "1234.5"),
        ("¥ -5", "-5"),
        ("-¥5", "-5"),
        ("(¥500)", "-500"),
        ("¥(500)", "-500"),
        ("¥500-", "-500"),
        ("CNY 1,234", "1234"),
        ("cny1,234", "1234"),
        ("1,234 CNY", "1234"),
        ("RMB1,234元", "1234"),
        ("1,234.5元", "1234.5"),
        ("US$1,234.50", "1234.5"),
        ("HK$ 5", "5"),
        ("$5", "5"),
        ("€5", "5"),
        ("5 €", "5"),
        ("5 PCS", None),
        ("BOX 5", None),
        ("CNY", None),
        ("¥", None),
        # Chinese units
        ("3.5万", "35000"),
        ("1.2亿", "120000000"),
        ("1,234.5万元", "12345000"),
        ("¥3.5万", "35000"),
        ("(3.5万)", "-35000"),
        ("-0.5 万", "-5000"),
        ("３．５万", "35000"),
        ("5千", "5000"),
        ("2百万", "2000000"),
        ("3千万", "30000000"),
        ("1.5万亿", "1500000000000"),
        ("1.23456789万", "12345.6789"),
        ("万", None),
        ("3.5万万", None),
        ("1e3万", None),
        ("三万", None),
        ("1234567890亿", None),
        # percent belongs to shares
        ("85%", None),
    ],
)
def test_decimal(text: str, expected: str | None) -> None:
    assert cast(MONEY, text) == (None if expected is None else Decimal(expected))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1.234,50", "1234.5"),
        ("1234,5", "1234.5"),
        ("1.234", "1234"),  # the profile's sign decides
        ("1.234.567", "1234567"),
        ("1,234", "1.234"),
        ("1.5", None),
        ("1,5,5", None),
        ("1 234,50 €", "1234.5"),
        ("1'234,50", "1234.5"),
        ("(1.234,50)", "-1234.5"),
        ("1.234,50-", "-1234.5"),
        ("2,9E-2", "0.029"),
        ("3,5万", "35000"),
        ("1_000", None),
    ],
)
def test_decimal_comma(text: str, expected: str | None) -> None:
    assert cast(MONEY, text, COMMA) == (None if expected is None else Decimal(expected))


@pytest.mark.parametrize(
    ("text", "expected"),
    [("85%", "85"), ("85 %", "85"), ("８５％", "85"), ("12.5%", "12.5"), ("-3%", "-3"), ("85", "85"), ("0.85", "0.85"), ("85%%", None)],
)  # fmt: skip
def test_percent_is_the_unit_of_shares(text: str, expected: str | None) -> None:
    assert cast("decimal(9,4)", text, name="split_pct") == (None if expected is None else Decimal(expected))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-01", FIRST_OF_MARCH),
        ("2026-3-1", FIRST_OF_MARCH),
        ("2026/3/1", FIRST_OF_MARCH),
        ("2026/03/01", FIRST_OF_MARCH),
        ("2026.3.1", FIRST_OF_MARCH),
        ("20260301", FIRST_OF_MARCH),
        ("2026年3月1日", FIRST_OF_MARCH),
        ("2026年03月01号", FIRST_OF_MARCH),
        ("01.03.2026", FIRST_OF_MARCH),
        ("1.3.2026", FIRST_OF_MARCH),
        ("２０２６－０３－０１", FIRST_OF_MARCH),
        ("２０２６年３月１日", FIRST_OF_MARCH),
        ("2026／3／1", FIRST_OF_MARCH),
        # with times
        ("2026-03-01 00:00:00.000", FIRST_OF_MARCH),
        ("2026-03-01T18:30", FIRST_OF_MARCH),
        ("2026/3/1 9:05", FIRST_OF_MARCH),
        ("2026/3/1  9:05:59", FIRST_OF_MARCH),
        ("20260301 09:05:59", FIRST_OF_MARCH),
        ("20260301090559", FIRST_OF_MARCH),
        ("2026年3月1日 9:05", FIRST_OF_MARCH),
        ("01.03.2026 23:59", FIRST_OF_MARCH),
        ("2026-03-01 24:00", None),
        ("2026-03-01 9:60", None),
        # Excel's day numbers: 2023-03-15 is number 45000, counted in a workbook
        ("45000", dt.date(2023, 3, 15)),
        ("45000.75", dt.date(2023, 3, 15)),
        ("10000", dt.date(1927, 5, 18)),
        ("99999", dt.date(2173, 10, 13)),
        ("2026", None),  # a year
        ("9999", None),
        ("100000", None),
        # no dates
        ("2026-02-30", None),
        ("2026-02-29", None),
        ("2024-02-29", dt.date(2024, 2, 29)),
        ("2026/13/45", None),
        ("31.11.2025", None),
        ("0000-00-00", None),
        ("0001-01-01", None),
        ("0026-03-01", None),
        ("12345-03-01", None),
        ("2026-3/1", None),
        ("2026-3-1x", None),
        ("2026-03-01Z", None),
        ("2026-03-01 (BC)", None),
        ("epoch", None),
        ("infinity", None),
        ("20261301", None),
        ("March 1, 2026", None),
        # which is the day?
        ("03/04/2026", None),
        ("25/03/2026", None),
        ("03-04-2026", None),
        # which century?
        ("26/3/1", None),
        ("01.03.26", None),
        ("26-03-01", None),
        ("26年3月1日", None),
    ],
)
def test_date(text: str, expected: dt.date | None) -> None:
    assert cast("date", text) == expected


@pytest.mark.parametrize(
    ("text", "spec", "expected"),
    [
        ("03/04/2026", SLASHES, dt.date(2026, 4, 3)),
        ("3/4/2026 10:30", SLASHES, dt.date(2026, 4, 3)),
        ("０３/０４/２０２６", SLASHES, dt.date(2026, 4, 3)),
        ("04/25/2026", SLASHES, None),
        ("03/04/26", SLASHES, None),
        ("2026-03-01", SLASHES, FIRST_OF_MARCH),
        ("2026年3月1日", SLASHES, FIRST_OF_MARCH),
        ("03.04.2026", SLASHES, None),  # where the profile gives an order, nothing else with the year last is guessed
        ("03/04/2026", AMERICAN, dt.date(2026, 3, 4)),
        ("03/04/2026 1:30 pm", AMERICAN, dt.date(2026, 3, 4)),
        ("03.04.2026", AMERICAN, dt.date(2026, 3, 4)),
        ("25.03.2026", AMERICAN, None),
        ("1-Mar-2026", AMERICAN, FIRST_OF_MARCH),
        ("45000", AMERICAN, dt.date(2023, 3, 15)),
    ],
)
def test_date_in_the_order_of_the_profile(text: str, spec: FileSpec, expected: dt.date | None) -> None:
    assert cast("date", text, spec) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-01T18:30:05", dt.datetime(2026, 3, 1, 18, 30, 5)),
        ("2026-03-01 18:30:05.25", dt.datetime(2026, 3, 1, 18, 30, 5, 250000)),
        ("2026/3/1 9:05", dt.datetime(2026, 3, 1, 9, 5)),
        ("2026年3月1日 ０９：０５：５９", dt.datetime(2026, 3, 1, 9, 5, 59)),
        ("20260301235959", dt.datetime(2026, 3, 1, 23, 59, 59)),
        ("2026-03-01", dt.datetime(2026, 3, 1)),
        ("45000.75", dt.datetime(2023, 3, 15, 18)),
        ("45000.999988425926", dt.datetime(2023, 3, 15, 23, 59, 59)),
    ],
)
def test_timestamp(text: str, expected: dt.datetime) -> None:
    assert cast("timestamp", text) == expected


def test_day_numbers_of_a_workbook_that_counts_from_1904() -> None:
    """1,462 days later: number 43538 there is number 45000 elsewhere."""
    assert cast("date", "43538", of_1904=["d1"]) == dt.date(2023, 3, 15)
    assert cast("date", "45000", of_1904=["d2"]) == dt.date(2023, 3, 15)


@pytest.mark.parametrize(
    ("kind", "text", "spec", "expected"),
    [
        (MONEY, "many", NOTHING, "x is not a decimal"),
        ("integer", "1.5", NOTHING, "x is not an integer"),
        ("date", "gestern", NOTHING, "x is not a date"),
        ("date", "03/04/2026", NOTHING, "x does not say which of day and month comes first, and neither does the profile's dates"),
        ("date", "3-4-2026 10:30", NOTHING, "x does not say which of day and month comes first, and neither does the profile's dates"),
        ("date", "０３/０４/２０２６", NOTHING, "x does not say which of day and month comes first, and neither does the profile's dates"),
        ("date", "04/25/2026", SLASHES, "x is not a date"),
        ("date", "26/3/1", NOTHING, "x has a year of two digits"),
        ("date", "1.3.26 10:30", SLASHES, "x has a year of two digits"),
        ("timestamp", "26年3月1日", NOTHING, "x has a year of two digits"),
        ("date", "2026-02-30", NOTHING, "x is not a date"),
    ],
)  # fmt: skip
def test_reason(kind: str, text: str, spec: FileSpec, expected: str) -> None:
    assert duckdb.sql(f"select {reason_sql(literal(text), column_of(kind), spec)}").fetchall() == [(expected,)]


@pytest.mark.parametrize(
    ("text", "currency", "expected"),
    [
        ("¥5", "CNY", False),
        ("￥5", "JPY", False),
        ("¥5", "USD", True),
        ("US$5", "USD", False),
        ("US$5", "HKD", True),
        ("$5", "CAD", False),
        ("$5", "EUR", True),
        ("3.5万元", "CNY", False),
        ("3.5万元", "EUR", True),
        ("eur 5", "EUR", False),
        ("5 USD", "EUR", True),
        ("(5)", "EUR", False),
        ("RMB 5", "CNY", False),
    ],
)
def test_currency_of_a_number(text: str, currency: str, expected: bool) -> None:
    assert duckdb.sql(f"select {other_currency_sql(literal(text), literal(currency))}").fetchall() == [(expected,)]


@pytest.mark.parametrize(
    "dates", [["%d/%m/%y"], ["%d/%m/%Y", "%m/%d/%Y"], ["%d.%m"]], ids=["short year", "two orders", "no year"]
)
def test_profile_that_does_not_settle_dates_is_refused(dates: list[str]) -> None:
    with pytest.raises(ValidationError, match="dates"):
        FileSpec(name="f", pattern="*", format="csv", dates=tuple(dates))


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    number=st.decimals(min_value=-(10**11), max_value=10**11, places=6),
    spec=st.sampled_from([NOTHING, COMMA]),
    form=st.sampled_from(["plain", "grouped", "exponent", "parentheses", "trailing", "万", "spaces", "wide"]),
)
def test_numbers_are_exact(number: Decimal, spec: FileSpec, form: str) -> None:
    """Every way of writing a number gives the number, rounded half up once, as Python's decimal has it."""
    sign, digits = ("-" if number < 0 else ""), abs(number)
    expected = number
    if form == "plain":
        text = f"{number}"
    elif form == "grouped":
        text = f"{number:,}"
    elif form == "exponent":
        text = f"{number:.12e}"
        expected = Decimal(text)
    elif form == "parentheses":
        text, expected = f"({digits:,})", -digits
    elif form == "trailing":
        text, expected = f"{digits}-", -digits
    elif form == "万":
        number = (number / 10**5).quantize(Decimal("0.000001"))
        text, expected = f"{number}万", number * 10**4
    elif form == "spaces":
        text = f"{number:,}".replace(",", "\xa0")
    else:
        text = sign + "".join(chr(ord(digit) + 0xFEE0) for digit in f"{digits}")
    if spec is COMMA:
        text = text.translate(str.maketrans(".,．", ",.，"))
    wanted = expected.quantize(Decimal("0.0001"), ROUND_HALF_UP)
    assert cast(MONEY, text, spec) == wanted


@settings(max_examples=300, deadline=None, derandomize=True)
@given(text=st.text(alphabet="0123456789.,-+eE_ '()%¥万年月日/:TxA０", max_size=14))
def test_the_plain_way_takes_nothing_that_the_forms_do_not_allow(text: str) -> None:
    """A plain number is what Python's decimal takes too; a plain date is ISO's."""
    for spec in (NOTHING, COMMA):
        found = duckdb.sql(f"select {plain_sql(literal(text), column_of(MONEY), spec)}").fetchall()[0][0]
        if found is not None:
            told = text.replace(",", ".") if spec is COMMA else text
            assert "_" not in told
            assert found == Decimal(told).quantize(Decimal("0.0001"), ROUND_HALF_UP)
    day = duckdb.sql(f"select {plain_sql(literal(text), column_of('date'), NOTHING)}").fetchall()[0][0]
    assert day is None or day.isoformat() == text
