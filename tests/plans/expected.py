"""What of a case's expectation a statement does not meet."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from tests.plans.amounts import Statement, StatementLine
from tests.plans.case_files import Case, number
from tests.plans.rounding import cents


def differences(case: Case, found: Statement) -> Iterator[str]:
    """A sentence for each amount that differs."""
    expect = case["expect"]
    for payee, amount in (expect.get("payout") or {}).items():
        got = found.payout.get(str(payee))
        if got != number(amount):
            yield f"payout of {payee}: expected {amount}, reckoned {None if got is None else float(got)}"
    for row in expect.get("lines") or []:
        if not any(_fits(row, line) for line in found.lines) and not _fits_sum(row, found.lines):
            yield f"no line {row}"
    marts = expect.get("marts") or {}
    for row in marts.get("balance") or []:
        balance = found.balances.get((row["payee"], row["balance"]))
        got_row = None if balance is None else (balance.opening, balance.movement, balance.closing)
        if got_row != (number(row["opening"]), number(row["movement"]), number(row["closing"])):
            yield f"balance {row}: reckoned {got_row and [float(part) for part in got_row]}"
    for row in marts.get("target") or []:
        values = [value for (payee, _), value in found.targets.items() if payee == row["payee"] and value is not None]
        if number(row["target"]) not in [cents(value) for value in values]:
            yield f"target {row}: reckoned {[float(value) for value in values]}"
    if "proposal" in marts:
        wanted = [{**row, **({"value": number(row["value"])} if "value" in row else {})} for row in marts["proposal"]]
        if sorted(map(str, wanted)) != sorted(map(str, found.proposals)):
            yield f"proposals: expected {wanted}, reckoned {found.proposals}"


def _fits(row: dict, line: StatementLine) -> bool:  # type: ignore[type-arg]
    if row["payee"] != line.payee or row["component"] != line.component:
        return False
    if row.get("status") == "held":
        return line.earned is None
    for name in ("band", "currency"):
        if name in row and row[name] != getattr(line, name):
            return False
    if "base" in row and (line.base is None or number(row["base"]) != line.base):
        return False
    return "earned" not in row or (line.earned is not None and number(row["earned"]) == line.earned)


def _fits_sum(row: dict, lines: list[StatementLine]) -> bool:  # type: ignore[type-arg]
    """A row without a band may be all that the component comes to."""
    if "band" in row or "base" in row or "earned" not in row:
        return False
    mine = [line.earned for line in lines if line.payee == row["payee"] and line.component == row["component"]]
    return None not in mine and sum((part for part in mine if part is not None), Fraction(0)) == number(row["earned"])
