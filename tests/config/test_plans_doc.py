"""The examples of docs/plans.md are sound, and no word of the language is without one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from dealermart.base import REPO
from dealermart.config import Plan, Registry, load_yaml, plan_schema

PAGE = REPO / "docs" / "plans.md"
KPIS = load_yaml(REPO / "config" / "kpis.yml", Registry).by_code

# What a case may hold, and what of it is always there.
KEYS = {"case", "plan", "period", "payees", "targets", "sales", "inputs", "paid", "expect"}
NEEDED = {"case", "plan", "period", "payees", "expect"}


class _Loader(yaml.SafeLoader):
    """As config files are read: on is a word, not a truth value."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), list("tf"))


def cases() -> Iterator[dict[str, Any]]:
    for block in re.findall(r"^```yaml\n(.*?)^```$", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE):
        yield from yaml.load(block, Loader=_Loader)["cases"]  # noqa: S506 - a safe loader


CASES = list(cases())


def test_cases_have_names_of_their_own() -> None:
    names = [case["case"] for case in CASES]
    assert len(names) == len(set(names)) > 80


@pytest.mark.parametrize("case", CASES, ids=[case["case"] for case in CASES])
def test_an_example_is_a_sound_plan_with_what_it_needs(case: dict[str, Any]) -> None:
    assert NEEDED <= case.keys() <= KEYS
    plan = Plan.model_validate(case["plan"])
    assert [fault.what for fault in plan.faults(KPIS)] == []
    period = {"M": "month", "Q": "quarter", "": "year"}[case["period"][5:6]]
    assert plan.period == period
    components = {*plan.by_id, *(spiff.id for spiff in plan.spiffs)}
    payees = {payee["payee_id"] for payee in case["payees"]}
    assert set(case["expect"].get("payout", {})) <= payees
    for line in case["expect"].get("lines", []):
        assert line["component"] in components
        assert line["payee"] in payees
    if "payout" in case["expect"] and case["expect"].get("lines") and len(payees) == 1 and len(components) == 1:
        total = sum(line["earned"] for line in case["expect"]["lines"])
        assert total == pytest.approx(case["expect"]["payout"][case["payees"][0]["payee_id"]])


def _said(value: Any) -> Iterator[str]:
    """Every key and every word of a plan."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield str(key)
            yield from _said(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _said(inner)
    else:
        yield str(value)


def _words(schema: Any) -> Iterator[str]:
    """Every key and every fixed word that the language knows."""
    if isinstance(schema, dict):
        yield from schema.get("properties", {})
        yield from (str(word) for word in schema.get("enum", []))
        if "const" in schema:
            yield str(schema["const"])
        for inner in schema.values():
            yield from _words(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from _words(inner)


def test_every_word_of_the_language_is_in_an_example() -> None:
    said = {word for case in CASES for word in _said(case["plan"])}
    explained = {word.strip() for word in re.findall(r"`([a-z_0-9]+)[`:]", PAGE.read_text("utf-8"))}
    assert {word for word in _words(plan_schema()) if word not in said | explained} == set()
