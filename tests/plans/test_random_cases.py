"""The models pay random plans what the second reckoning says: hundreds in the suite, six thousand as a soak.

Nothing that a case expects may differ, not by a cent: payouts, lines, held lines, balances, targets and proposals.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.plans.random_cases import as_text, random_cases

from dealermart.base import Settings
from dealermart.config import load_cases, load_contracts, load_registry
from dealermart.warehouse import check_cases

pytestmark = pytest.mark.integration

SOAK, EACH = range(2, 8), 1000
SEEDS = [(1, 250), *(pytest.param(seed, EACH, marks=pytest.mark.soak) for seed in SOAK)]


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
    for outcome in check_cases(settings, tests):
        checked += 1
        wrong += [
            f"{outcome.test.case.case}: {found.what}: {found.expected}, not {found.actual}"
            for found in outcome.differences
        ]
    assert wrong == []
    assert checked == count


def test_the_soak_compares_five_thousand_cases() -> None:
    assert len(SOAK) * EACH >= 5000
