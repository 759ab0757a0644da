"""What in a sound plan is probably not meant, and what is not asked about."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from dealermart.base import REPO
from dealermart.config import Plan, Registry, load_yaml, plan_findings

KPIS = load_yaml(REPO / "config" / "kpis.yml", Registry).by_code
ON_AMOUNT = "{basis: amount, rule: whole_base, outside: edge, "


def found(text: str) -> list[tuple[str, str]]:
    """Field and words of each finding of a plan of which only what matters is given."""
    given: dict[str, Any] = {"plan": "p", "period": "quarter"} | yaml.safe_load(text)
    plan = Plan.model_validate(given)
    assert [fault.what for fault in plan.faults(KPIS)] == []
    return [(".".join(map(str, fault.location)), fault.what) for fault in plan_findings(plan, KPIS)]


def component(text: str, **more: Any) -> str:
    """A plan of one component."""
    measure = {"id": "a", "measure": {"of": "net_revenue"}} | yaml.safe_load(text)
    return yaml.safe_dump({"components": [measure]} | more)


@pytest.mark.parametrize(
    ("text", "field", "words"),
    [
        pytest.param(
            "rate: " + ON_AMOUNT + "bands: [{to: 1, value: 1}, {from: 2, value: 2}]}",
            "components.0.rate.bands.1", "between 1 and 2 there is no band; the band beside it goes on", id="gap",
        ),
        pytest.param(
            "rate: {basis: amount, rule: marginal, outside: zero, bands: [{from: 0, to: 9, value: 1}]}",
            "components.0.rate.bands.0", "from 9 on there is no band; nothing is paid there", id="open top",
        ),
        pytest.param(
            "rate: {basis: amount, rule: curve, outside: hold, points: [{at: 0, value: 1}, {at: 5, value: 2}]}",
            "components.0.rate.points.1", "from 5 on the curve has no value; the line waits for a person", id="open top of a curve",
        ),
        pytest.param(
            "rate: " + ON_AMOUNT + "bands: [{to: 1, value: 2}, {from: 1, value: 1.5}]}",
            "components.0.rate.bands.1", "the rate falls from 2 to 1.5 where the band begins, at 1", id="falling rate",
        ),
        pytest.param(
            # 100 over 1 is more than 100 over 2
            "rate: {basis: amount, rule: interpolated, pays: fixed, outside: zero, bands: [{from: 0, to: 1, value: 100}, {from: 1, to: 3, value: 100}]}",
            "components.0.rate.bands.1", "the rate falls from 100 to 100", id="falling rate of interpolated bands",
        ),
        pytest.param(
            "rate: {basis: amount, rule: curve, pays: fixed, outside: edge, points: [{at: 0, value: 2}, {at: 5, value: 1}]}",
            "components.0.rate.points.1", "the value falls from 2 at 0 to 1 at 5", id="falling curve",
        ),
        pytest.param(
            "rules: [{rate: {basis: none, value: 1}}, {rate: " + ON_AMOUNT + "bands: [{to: 1, value: 2}, {from: 1, value: 1}]}}]",
            "components.0.rules.1.rate.bands.1", "the rate falls", id="falling rate of a rule",
        ),
        pytest.param(
            "{rate: {basis: amount, rule: whole_base, pays: fixed, outside: edge, bands: [{to: 1, value: 0}, {from: 1, value: 500}]}, limits: {cap: 501}}",
            "components.0.limits", "the cap of 501 can never be reached: the most is 500", id="cap of a fixed amount",
        ),
        pytest.param(
            "{rate: {basis: amount, rule: marginal, pays: fixed, outside: zero, bands: [{from: 0, to: 1, value: 100}, {from: 1, value: 50}]}, modifier: {by: csat_pct, curve: [{value: 0, factor: 1}, {value: 1, factor: 2}]}, limits: {cap: 301}}",
            "components.0.limits", "the most is 300", id="cap above the steps times the modifier",
        ),
        pytest.param(
            "rules: [{rate: {basis: none, pays: fixed, value: 5}, limits: {cap: 6}}]",
            "components.0.rules.0.limits", "the most is 5", id="cap of a rule",
        ),
        pytest.param(
            "{rules: [{rate: {basis: none, value: 5}, limits: {cap: 100}}, {rate: {basis: none, value: 5}, limits: {cap: 50}}], limits: {cap: 200}}",
            "components.0.limits", "the most is 150", id="cap above those of the rules",
        ),
    ],
)  # fmt: skip
def test_a_finding(text: str, field: str, words: str) -> None:
    ((where, what),) = found(component(text))
    assert (where, words in what) == (field, True), (where, what)


def test_percents_of_target_pay() -> None:
    text = component(
        """
        weight_pct: 60
        rate: {basis: attainment, rule: curve, pays: payout_pct, outside: edge, points: [{at: 0.5, value: 0}, {at: 1.5, value: 200}]}
        target: {value: 100}
        limits: {cap_pct: 250}
        """,
        target_pay={"of": "assignment"},
    )
    assert found(text) == [
        ("components.0.limits", "the cap of 250 % of target pay can never be reached: the most is 120 %"),
        ("components", "the components that pay target pay weigh 60 % of it together, not 100"),
    ]


def test_a_cap_of_the_statement_above_those_of_its_components() -> None:
    text = component("{rate: {basis: none, value: 5}, limits: {cap: 100}}", limits={"cap": 150})
    assert found(text) == [("limits.cap", "the cap of 150 can never be reached: the most is 100")]
    assert found(text.replace("plan: p", "plan: p\nspiffs: [{id: s, of: a, value: 1}]")) != []


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("rate: {basis: amount, rule: marginal, outside: zero, bands: [{from: 5, value: 1}]}", id="a threshold is no gap"),
        pytest.param("rate: " + ON_AMOUNT + "decelerates: true, bands: [{to: 1, value: 2}, {from: 1, value: 1}]}", id="falls on purpose"),
        pytest.param("rate: {basis: discount_pct, rule: whole_base, outside: edge, bands: [{to: 0.1, value: 3}, {from: 0.1, value: 1}]}", id="higher discounts pay less"),
        pytest.param("rate: {basis: amount, rule: marginal, pays: fixed, outside: zero, bands: [{from: 0, to: 1, value: 3}, {from: 1, to: 2, value: 2}]}", id="steps are added, and end"),
        pytest.param("rate: {basis: amount, rule: interpolated, pays: fixed, outside: zero, bands: [{from: 0, to: 1, value: 3}]}", id="interpolated bands end"),
        pytest.param("{measure: {kpi: sales_cycle_days}, rate: {basis: amount, rule: whole_base, pays: fixed, outside: edge, bands: [{to: 9, value: 3}, {from: 9, value: 1}]}}", id="fewer days are better"),
        pytest.param("{rate: {basis: none, value: 1}, limits: {cap: 5}}", id="percents have no most"),
        pytest.param("{accumulate: transaction, rate: {basis: none, pays: fixed, value: 1}, limits: {cap: 5}}", id="documents are many"),
        pytest.param("{rate: {basis: none, pays: fixed, value: 5}, limits: {cap: 5}}", id="a cap that is reached"),
    ],
)  # fmt: skip
def test_what_is_meant_is_not_asked_about(text: str) -> None:
    assert found(component(text)) == []


def test_the_plan_that_comes_with_the_project_has_no_finding() -> None:
    plan = load_yaml(REPO / "config" / "plans" / "sales_commission.yml", Plan)
    assert list(plan_findings(plan, KPIS)) == []
