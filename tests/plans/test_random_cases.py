"""The models pay random plans what the second reckoning says: hundreds in the suite, six thousand as a soak.

Both are exact but for where a cent is cut: docs/plan_tests.md says where that is. There a payout may differ by a cent a
document; everywhere else nothing that a case expects may: payouts, lines, held lines, balances, targets and proposals.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.plans.random_cases import as_text, random_cases

from dealermart.base import Settings
from dealermart.config import load_cases, load_contracts, load_registry
from dealermart.warehouse import Difference, check_cases

pytestmark = pytest.mark.integration

CUT_APART = ("returns", "rerate", "clawback", "negative", "collected", "shares", "less_paid")
SOAK, EACH = range(2, 8), 1000
SEEDS = [(1, 250), *(pytest.param(seed, EACH, marks=pytest.mark.soak) for seed in SOAK)]


def theme_of(case: dict[str, Any]) -> str:
    return str(case["case"].split()[2])


def may_differ(case: dict[str, Any]) -> Decimal:
    """By how much: what is taken back or paid in parts is cut apart in another order; a release with each payment, too."""
    if theme_of(case) in CUT_APART:
        return Decimal("0.05")
    payouts = [component.get("payout") or {} for component in case["plan"]["components"]]
    follows = any((payout.get("release") or {}).get("at") == "collected" for payout in payouts)
    return Decimal("0.01" if follows else 0)


def is_wrong(found: Difference, cents: Decimal) -> bool:
    """Whether a difference is more than a cut cent; of lines and balances of what is cut apart only held lines are told."""
    if not cents:
        return True
    if found.what.startswith("payout"):
        try:
            return abs(Decimal(found.expected) - Decimal(found.actual)) > cents
        except ArithmeticError:  # no statement, or several currencies
            return True
    return "status held" in found.expected


@pytest.mark.parametrize(("seed", "count"), SEEDS)
def test_random_plans_pay_what_the_second_reckoning_says(tmp_path: Path, seed: int, count: int) -> None:
    cases = list(random_cases(seed, count))
    for case in cases:
        case["company"] = {"calendar": None}  # Monday to Friday are worked
    path = tmp_path / "random.yml"
    path.write_text(as_text(cases), "utf-8")
    settings = Settings(home=tmp_path)
    tests = load_cases(path, load_contracts(settings), load_registry(settings))
    wrong, checked = [], 0
    for case, outcome in zip(cases, check_cases(settings, tests), strict=True):
        checked += 1
        cents = may_differ(case)
        wrong += [
            f"{outcome.test.case.case}: {found.what}: {found.expected}, not {found.actual}"
            for found in outcome.differences
            if is_wrong(found, cents)
        ]
    assert wrong == []
    assert checked == count


def test_the_soak_compares_five_thousand_cases() -> None:
    assert len(SOAK) * EACH >= 5000
