"""Plan tests: what is expected beside what came out, and the working of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from dealermart.base import Settings
from dealermart.config import TestCase
from dealermart.warehouse.case_rows import Row
from dealermart.warehouse.case_run import Found, run_cases

# Short names of a case for columns of the statement's lines; any column can be named as it is.
LINE = {
    "payee": "payee_id",
    "component": "component_id",
    "band": "band_no",
    "base": "base_amount",
    "earned": "amount",
    "kind": "line_kind",
    "detail": "line_detail",
    "target": "target_value",
    "currency": "currency_code",
    "period": "period_id",
}

# Actual rows that stand beside an expected one.
_SHOWN = 12

_WORKING = ("component", "kind", "detail", "band", "base", "rate", "earned", "reason")


@dataclass(frozen=True)
class Difference:
    """Something that is not as expected: what, and both sides in words. ``payee`` is whose, where it is anybody's."""

    what: str
    expected: str
    actual: str
    payee: str | None = None


@dataclass(frozen=True)
class Outcome:
    """How a case ended, and the statement lines of those whom differences are about."""

    test: TestCase
    differences: tuple[Difference, ...]
    working: Mapping[str, list[Row]]

    @property
    def is_ok(self) -> bool:
        return not self.differences


def check_cases(
    settings: Settings, tests: Sequence[TestCase], say: Callable[[str], None] = lambda text: None
) -> list[Outcome]:
    """Run cases and compare; see ``run_cases`` for what it raises."""
    found = run_cases(settings, tests, say)
    return [_outcome(test, told) for test, told in zip(tests, found, strict=True)]


def _outcome(test: TestCase, found: Found | None) -> Outcome:
    if found is None:
        return Outcome(test, tuple(_refusal(test)), {})
    if test.case.expect.refused is not None:
        expected = Difference("plan", f"refused: {test.case.expect.refused}", "the plan has no fault")
        return Outcome(test, (expected,), {})
    differences = tuple(_differences(found))
    payees = dict.fromkeys(told.payee for told in differences if told.payee is not None)
    if any(told.payee is None for told in differences):
        payees |= dict.fromkeys(str(row["payee_id"]) for row in test.case.rows("plan_assignments"))
    return Outcome(test, differences, {payee: working(found, payee) for payee in payees})


def _refusal(test: TestCase) -> Iterator[Difference]:
    wanted = test.case.expect.refused or ""
    if not any(wanted in told for told in test.refusals):
        yield Difference("plan", f"refused: {wanted}", "refused: " + "; ".join(test.refusals))


def working(found: Found, payee: str) -> list[Row]:
    """The lines of a payee's statement that say something, in the words of cases."""
    named = {column: name for name, column in LINE.items()}
    lines = []
    for line in found.lines:
        if line["payee_id"] == payee and (line["amount"] != 0 or line["reason"] != "the band is not reached"):
            told = {named.get(column, column): value for column, value in line.items()}
            lines.append({name: told[name] for name in _WORKING if told[name] not in (None, "")})
    return lines


def _differences(found: Found) -> Iterator[Difference]:
    expect = found.world.test.case.expect
    yield from _payouts(found)
    now = found.world.span.period_id
    totals = _component_totals(found.lines, now)
    yield from _rows("component", totals, [row for row in expect.lines if _is_total(row)], LINE, now)
    yield from _rows("line", found.lines, [row for row in expect.lines if not _is_total(row)], LINE, now)
    held = [line for line in found.lines if line["status"] == "held"]
    yield from _rows("held line", held, expect.held, LINE, now)
    for reason in expect.reasons:
        wanted = {"reason": reason} if isinstance(reason, str) else reason
        yield from _rows("reason", [*found.lines, *found.statements], [wanted], LINE, now)
    if expect.balances:
        yield from _rows("balance", found.marts.get("balance", []), expect.balances, {"component": "component"}, now)
    for name, rows in expect.marts.items():
        yield from _rows(f"row of {name}", found.marts.get(name, []), rows, {}, now)


def _is_total(wanted: Row) -> bool:
    """Whether what a component comes to is meant, and no single line of it."""
    return wanted.keys() <= {"payee", "component", "earned"}


def _component_totals(lines: Iterable[Row], now: str) -> list[Row]:
    """What each component comes to on a statement, all of its lines together; nothing where one waits for a person."""
    totals: dict[tuple[Any, ...], Row] = {}
    for line in lines:
        if line["period_id"] == now:
            key = (line["payee_id"], line["component_id"])
            total = totals.setdefault(key, {"payee_id": key[0], "component_id": key[1], "amount": Decimal(0)})
            held = line["amount"] is None or total["amount"] is None
            total["amount"] = None if held else total["amount"] + line["amount"]
    return list(totals.values())


def _payouts(found: Found) -> Iterator[Difference]:
    for payee, amount in found.world.test.case.expect.payout.items():
        rows = [row for row in found.statements if row["payee_id"] == payee]
        currencies = sorted({row["currency_code"] for row in rows if row["amount"]})
        if not rows:
            actual = "no statement"
        elif len(currencies) > 1:
            actual = ", ".join(f"{row['amount']} {row['currency_code']}" for row in rows)
        else:
            total = sum((row["amount"] for row in rows), Decimal(0))
            if total == amount:
                continue
            actual = f"{total}"
        yield Difference(f"payout of {payee}", f"{amount}", actual, payee)


def _rows(
    what: str, actual: Sequence[Row], expected: Iterable[Row], names: Mapping[str, str], now: str
) -> Iterator[Difference]:
    """Expected rows that no actual row is; each actual row stands for one expected row."""
    left = list(actual)
    for wanted in expected:
        mapped = {names.get(name, name): value for name, value in wanted.items()}
        here = [row for row in left if "period_id" in mapped or row.get("period_id", now) == now]
        figures = [value for value in mapped.values() if isinstance(value, (int, Decimal))]
        if what.endswith("balance") and not any(figures):
            # There is no row where nothing is carried; one that says something else is another matter.
            about = {name: mapped[name] for name in ("payee", "balance") if name in mapped}
            if not any(_fits(row, about) for row in here):
                continue
        match = next((row for row in here if _fits(row, mapped)), None)
        if match is not None:
            left.remove(match)
            continue
        payee = mapped.get("payee_id", mapped.get("payee"))
        near = [row for row in here if _fits(row, _who(mapped))] or [row for row in here if payee in row.values()]
        words = [_words({name: row.get(names.get(name, name)) for name in wanted}) for row in near[:_SHOWN]]
        told = "\n".join(dict.fromkeys(words)) or "nothing"
        lost = [name for name in mapped if actual and name not in actual[0]]
        if lost:
            told = f"there is no column {', '.join(lost)}; there are {', '.join(actual[0])}"
        yield Difference(what, _words(wanted), told, None if payee is None else str(payee))


def _who(wanted: Row) -> Row:
    """What of a row says what it is about."""
    return {name: value for name, value in wanted.items() if isinstance(value, str) and name != "reason"}


def _fits(row: Row, wanted: Row) -> bool:
    return all(name in row and _same(name, row[name], value) for name, value in wanted.items())


def _same(name: str, actual: Any, expected: Any) -> bool:
    """Whether a value is the expected one. Reasons need only hold the text; numbers meet at the expected decimals."""
    if actual is None or expected is None:
        return actual is expected
    if isinstance(expected, bool) or isinstance(actual, bool):
        return bool(actual == expected)
    if isinstance(actual, (int, Decimal)) and isinstance(expected, (int, Decimal)):
        return Decimal(actual) == expected or _rounded(Decimal(actual), Decimal(expected)) == expected
    if isinstance(actual, dt.datetime) and not isinstance(expected, dt.datetime):
        return actual.date() == expected
    if isinstance(actual, str) and name == "reason":
        return str(expected) in actual
    return str(actual) == str(expected) if isinstance(actual, str) else bool(actual == expected)


def _rounded(actual: Decimal, expected: Decimal) -> Decimal:
    """At the expected decimals, where these are enough to tell a figure: two at least, of four digits."""
    told = expected.as_tuple()
    if not isinstance(told.exponent, int) or told.exponent > -2 or len(told.digits) < 4:
        return actual
    return actual.quantize(expected, rounding=ROUND_HALF_UP)


def _words(row: Row) -> str:
    return ", ".join(f"{name} {plain(value)}" for name, value in row.items())


def plain(value: Any) -> str:
    """A value for people: numbers without the zeros that only fill a column."""
    if isinstance(value, Decimal) and value == value.to_integral_value():
        return f"{value.quantize(Decimal(1))}"
    if isinstance(value, Decimal):
        return f"{value:f}".rstrip("0")
    return "nothing" if value is None else str(value)
