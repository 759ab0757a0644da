"""The measures of the registry are those that the event models make: a KPI of one that is missing would have no rows."""

from __future__ import annotations

import re

import make_kpis
from dealermart.base import REPO, load_settings
from dealermart.config import load_config

MODELS = REPO / "dbt_project" / "models" / "intermediate" / "measure"


def test_every_measure_is_made_by_the_model_of_its_events_and_no_other() -> None:
    made = {
        (path.stem.removeprefix("int_measure__"), code)
        for path in MODELS.glob("int_measure__*.sql")
        for code in re.findall(r"^        \('(\w+)', ", path.read_text("utf-8"), flags=re.MULTILINE)
        if path.stem != "int_measure__subject_month"
    }
    assert made == {(measure.events, measure.code) for measure in load_config(load_settings()).registry.measures}


def test_every_measure_serves_a_kpi() -> None:
    registry = load_config(load_settings()).registry
    used = {code for kpi in registry.kpis for code in kpi.measures.values()}
    assert used == {measure.code for measure in registry.measures}


def test_the_document_is_what_the_registry_says() -> None:
    text = (REPO / make_kpis.DOC).read_text("utf-8")
    assert make_kpis.document(load_config(load_settings()).registry) == text, "mend: run `make feeds`"
