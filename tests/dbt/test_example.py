"""The example of docs/kpis.md: its rows, built by dbt, give the figures that it works out by hand."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from decimal import Decimal

import duckdb
import pytest
from tests.dbt import warehouse

from dealermart.base import REPO

pytestmark = pytest.mark.integration

MODELLING = (REPO / "docs" / "modelling.md").read_text("utf-8")
EXAMPLE = (REPO / "docs" / "kpis.md").read_text("utf-8").split("## An example")[1].split("\n### ")[0]
ADDED = re.search(r"^  ```yaml\n(    - code: .*?)^  ```$", MODELLING, flags=re.MULTILINE | re.DOTALL)
COMPANY = {
    "name": "Example Company", "reporting_currency": "CNY", "calendar_start": "2025-01-01",
    "receivables_from": "2026-01-01",
}  # fmt: skip
MASTERS: dict[str, list[warehouse.Row]] = {
    "dealers": [
        {"dealer_id": "D9", "valid_from": "2025-01-01", "dealer_name": "D9", "region": "East", "status": "active"}
    ],
    "products": [
        {"product_id": "P1", "valid_from": "2025-01-01", "product_name": "Bike", "category": "Bikes"},
        {"product_id": "P2", "valid_from": "2025-01-01", "product_name": "Shirt", "category": "Clothing"},
    ],
    "training_courses": [{"course_id": "K1", "course_name": "Selling", "topic": "selling", "is_mandatory": True}],
}


def feeds() -> dict[str, list[warehouse.Row]]:
    """The rows of the example, by feed; an empty cell is missing."""
    found = re.findall(r"^`(\w+)`\n```csv\n(.*?)```", EXAMPLE, flags=re.MULTILINE | re.DOTALL)
    return MASTERS | {
        feed: [{name: value or None for name, value in row.items()} for row in csv.DictReader(io.StringIO(text))]
        for feed, text in found
    }


@pytest.fixture(scope="module")
def con(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    path = warehouse.make(
        tmp_path_factory.mktemp("example"),
        feeds(),
        COMPANY,
        kpis=re.sub("^  ", "", ADDED[1], flags=re.MULTILINE) if ADDED else "",
    )
    warehouse.build(path, "--select", "+mart_kpi__subject_period", command="run")
    with duckdb.connect(str(path), read_only=True) as found:
        yield found


def test_the_example_of_the_document_is_what_the_marts_say(con: duckdb.DuckDBPyConnection) -> None:
    told = {
        code: Decimal(value) for code, value in re.findall(r"^\| `(\w+)` \|.*\| ([\d.]+) \|$", EXAMPLE, re.MULTILINE)
    }
    assert len(told) == 12
    rows = con.execute(
        "select kpi_code, value from marts.mart_kpi__subject_period"
        " where subject_type = 'dealer' and subject_id = 'D9' and period_id = '2026-Q1'"
    ).fetchall()
    assert {code: value for code, value in rows if code in told} == told


def test_a_kpi_is_added_as_the_document_says_by_an_entry_alone(con: duckdb.DuckDBPyConnection) -> None:
    assert ADDED, "the entry of docs/modelling.md"
    rows = con.execute(
        "select numerator, denominator, value, ci_method, status from marts.mart_kpi__subject_period"
        " where kpi_code = 'nps_detractor_pct' and subject_id = 'D9' and period_id = '2026-Q1'"
    ).fetchall()
    # Of 10, 9 and 6 the last is one.
    assert rows == [(1, 3, Decimal("0.33333333"), "wilson", "ok")]
