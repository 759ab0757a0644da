"""Every fault of a company, KPI, plan or review file is refused with file, line, field and mend."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from dealermart.base import ConfigError, Settings
from dealermart.config import load_config
from dealermart.warehouse.tables import compile_config, config_hash

Change = Callable[[str, str, str], None]
CASES: list[dict[str, Any]] = yaml.safe_load(Path(__file__).with_name("broken.yml").read_text("utf-8"))


def test_the_unbroken_files_load(settings: Settings) -> None:
    config = load_config(settings)
    assert [plan.plan for _, plan in config.plans] == ["commission"]
    assert [template.role for _, template in config.templates] == ["service"]


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_a_fault_is_named_by_file_line_field_and_mend(settings: Settings, change: Change, case: dict[str, Any]) -> None:
    change(case["file"], case["replace"], case["by"])
    with pytest.raises(ConfigError) as caught:
        load_config(settings)
    error = caught.value
    assert error.where == f"{settings.config / case['file']}:{case['line']}"
    if "field" in case:
        assert error.what.startswith(f"field {case['field']}: ")
    assert case["what"] in error.what
    assert case["mend"] in error.mend


def test_several_faults_are_counted_with_their_lines(settings: Settings, change: Change) -> None:
    change("plans/commission.yml", "CNY", "KWD")
    change("plans/commission.yml", "id: bonus", "id: rate")
    with pytest.raises(
        ConfigError, match=r"commission.yml:6: field currency: .* \(and 1 more in this file: lines 23\)"
    ):
        load_config(settings)


@pytest.mark.parametrize("name", ["company.yml", "kpis.yml"])
def test_a_missing_file_is_named(settings: Settings, name: str) -> None:
    (settings.config / name).unlink()
    with pytest.raises(ConfigError, match=f"{name}: the file does not exist"):
        load_config(settings)


def test_two_templates_for_one_role_at_one_time_are_refused(settings: Settings) -> None:
    template = settings.config / "reviews" / "service.yml"
    text = template.read_text("utf-8").replace("service_quarterly", "service_new").replace("2024-04-01", "2025-04-01")
    (settings.config / "reviews" / "service_new.yml").write_text(text, "utf-8")
    with pytest.raises(ConfigError, match=r"service_new.yml:5: field role: reviews/service.yml holds for service"):
        load_config(settings)
    ended = template.read_text("utf-8").replace(
        "valid_from: 2024-04-01", "valid_from: 2024-04-01\nvalid_to: 2025-04-01"
    )
    template.write_text(ended, "utf-8")
    assert len(load_config(settings).templates) == 2


@pytest.mark.parametrize(
    "period_end",
    [
        pytest.param(date(2024, 5, 2), id="inside a month"),
        pytest.param(date(2024, 4, 1), id="before any month"),
    ],
)
def test_a_period_that_ends_no_month_is_refused(settings: Settings, period_end: date) -> None:
    with pytest.raises(ConfigError, match="does not end a fiscal month after 2024-04-01"), duckdb.connect() as con:
        compile_config(settings, period_end, con)


def test_a_broken_plan_writes_nothing(settings: Settings, change: Change) -> None:
    change("plans/commission.yml", "CNY", "KWD")
    with duckdb.connect() as con, pytest.raises(ConfigError):
        compile_config(settings, date(2025, 1, 1), con)
    with pytest.raises(ConfigError):
        config_hash(settings)
    assert not settings.compiled.exists()
