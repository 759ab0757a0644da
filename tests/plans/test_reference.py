"""The second reckoning of plans agrees with every example of docs/plans.md and every case from published sources."""

from __future__ import annotations

import pytest
from tests.plans.case_files import Case, cases_of_page, cases_of_text
from tests.plans.expected import differences
from tests.plans.reference import settle

from dealermart.base import REPO

PUBLIC = sorted((REPO / "tests" / "plans" / "public").glob("*.yml"))

# What a case expects against docs/plans.md.


def all_cases() -> list[Case]:
    found = list(cases_of_page(REPO / "docs" / "plans.md"))
    for file in PUBLIC:
        found += cases_of_text(file.read_text("utf-8"))
    return found


CASES = all_cases()


def test_there_are_cases() -> None:
    assert len(CASES) > 300


@pytest.mark.parametrize("case", CASES, ids=[case["case"] for case in CASES])
def test_the_reference_agrees(case: Case) -> None:
    assert list(differences(case, settle(case))) == []
