"""The measures of the registry are those that the event models make: a KPI of one that is missing would have no rows."""

from __future__ import annotations

import csv
import re
from typing import Any

import yaml

import make_kpis
from dealermart.base import REPO, load_settings
from dealermart.config import load_config

MODELS = REPO / "dbt_project" / "models" / "intermediate" / "measure"


def test_every_measure_is_made_by_the_model_of_its_events() -> None:
    """That a model makes no other is a test of the model: its codes are those of the registry."""
    for measure in load_config(load_settings()).registry.measures:
        text = (MODELS / f"int_measure__{measure.events}.sql").read_text("utf-8")
        assert f"'{measure.code}'" in text, f"int_measure__{measure.events} does not make {measure.code}"


def test_the_events_are_read_by_the_engine() -> None:
    text = (MODELS / "int_measure__event.sql").read_text("utf-8")
    for measure in load_config(load_settings()).registry.measures:
        assert f"'{measure.events}'" in text, f"int_measure__event does not read int_measure__{measure.events}"


def test_every_model_of_the_registry_is_read_by_the_engine() -> None:
    text = (MODELS.parent / "kpi" / "int_kpi__value.sql").read_text("utf-8")
    text += (REPO / "dbt_project" / "macros" / "targets.sql").read_text("utf-8")  # those that are taken of targets
    text += (
        (MODELS.parents[1] / "marts" / "kpi" / "mart_kpi__subject_period_hr.sql")
        .read_text("utf-8")
        .replace("int_kpi__", "'")
        .replace("')", "''")
    )  # those that are taken of reviews
    models = {kpi.model for kpi in load_config(load_settings()).registry.kpis if kpi.model}
    assert {model for model in models if f"'{model}'" not in text} == set()


def _expected(test: dict[str, Any]) -> set[str]:
    """The measures in the rows that a unit test expects."""
    rows = test["expect"]["rows"]
    listed = csv.DictReader(rows.splitlines()) if isinstance(rows, str) else rows
    return {row["measure_code"] for row in listed if "measure_code" in row}


def test_every_measure_is_expected_by_a_unit_test() -> None:
    """One that no hand-worked row has may have any condition or value: nothing would notice."""
    proved = {
        code
        for path in MODELS.glob("int_measure__*.yml")
        for test in yaml.safe_load(path.read_text("utf-8")).get("unit_tests", ())
        if test["model"] != "int_measure__event"  # which only gathers them
        for code in _expected(test)
    }
    assert {measure.code for measure in load_config(load_settings()).registry.measures} - proved == set()


def test_every_measure_serves_a_kpi() -> None:
    """By an entry of the registry, or by the model of a KPI that is SQL of its own."""
    registry = load_config(load_settings()).registry
    used = {code for kpi in registry.kpis for code in kpi.measures.values()}
    models = "".join(path.read_text("utf-8") for path in (MODELS.parent / "kpi").glob("int_kpi__*.sql"))
    left = {measure.code for measure in registry.measures} - used
    assert {code for code in left if f"'{code}'" not in models} == set()


def test_every_kpi_is_defined_in_chinese_with_the_same_numbers() -> None:
    for kpi in load_config(load_settings()).registry.kpis:
        for english, chinese in ((kpi.formula, kpi.formula_zh), (kpi.population, kpi.population_zh)):
            assert chinese and re.search("[\u4e00-\u9fff]", chinese), kpi.code
            numbers = [sorted(re.findall(r"\d+|crm_\w+", text)) for text in (english, chinese)]
            assert numbers[0] == numbers[1], (kpi.code, english, chinese)


def test_what_follows_from_the_registry_is_as_it_says() -> None:
    for name, text in make_kpis.generated(load_config(load_settings()).registry).items():
        assert (REPO / name).read_text("utf-8") == text, f"{name}; mend: run `make feeds`"
