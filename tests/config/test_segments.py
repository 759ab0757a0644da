"""Rate tables compile to stretches that cover everything once, with the line that the rule means."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from dealermart.config import Plan, Segment, modifier_segments, rate_segments

FALLING = [{"from": 0, "to": 1, "value": 1}, {"from": 1, "to": 2, "value": 2}, {"from": 2, "value": 4}]
GAP = [{"from": 0, "to": 1, "value": 1}, {"from": 2, "to": 3, "value": 2}]


def compiled(**rate: Any) -> list[Segment]:
    """Stretches of a rate on the amount."""
    component = {"id": "a", "measure": {"of": "net_revenue"}, "rate": {"basis": "amount", **rate}}
    plan = Plan.model_validate({"plan": "p", "period": "month", "components": [component]})
    assert list(plan.faults({})) == []
    assert plan.components[0].rate is not None
    return rate_segments(plan.components[0].rate)


def lines(found: list[Segment]) -> list[str]:
    """``lower..upper: offset and rise [/ run]``, with the number of the band or the word for what lies outside."""

    def shown(value: Decimal | None) -> str:
        return "" if value is None else f"{value.normalize():f}"

    return [
        f"{shown(part.lower)}..{shown(part.upper)} {part.band_no or part.outside}: "
        + ("held" if part.rise is None else f"{shown(part.offset)} {shown(part.rise)}")
        + ("" if part.run == 1 else f"/{shown(part.run)}")
        for part in found
    ]


@pytest.mark.parametrize(
    ("rate", "expected"),
    [
        pytest.param(
            {"rule": "marginal", "pays": "per_unit", "outside": "zero", "bands": FALLING},
            ["..0 zero: 0 0", "0..1 1: 0 1", "1..2 2: 0 2", "2.. 3: 0 4"],
            id="marginal slices",
        ),
        pytest.param(
            {"rule": "marginal", "pays": "pct", "outside": "edge", "bands": GAP},
            ["..2 1: 0 0.01", "2.. 2: 0 0.02"],
            id="marginal percents with a gap that goes on as the band below it",
        ),
        pytest.param(
            {"rule": "marginal", "pays": "per_unit", "outside": "hold", "bands": GAP},
            ["..0 hold: held", "0..1 1: 0 1", "1..2 hold: held", "2..3 2: 0 2", "3.. hold: held"],
            id="marginal with a gap that waits",
        ),
        pytest.param(
            {"rule": "marginal", "pays": "fixed", "outside": "zero", "bands": GAP},
            ["..0 zero: 0 0", "0..1 1: 1 0", "1..2 zero: 1 0", "2..3 2: 3 0", "3.. zero: 3 0"],
            id="fixed amounts of all bands reached",
        ),
        pytest.param(
            {"rule": "interpolated", "pays": "fixed", "outside": "zero", "bands": [{"from": 0, "to": 3, "value": 1}, {"from": 3, "to": 4, "value": 5}]},
            ["..0 zero: 0 0", "0..3 1: 0 1/3", "3..4 2: 0 5", "4.. zero: 0 0"],
            id="interpolated, the value over the width",
        ),
        pytest.param(
            {"rule": "whole_base", "pays": "fixed", "outside": "edge", "bands": GAP},
            ["..0 1: 1 0", "0..1 1: 1 0", "1..2 1: 1 0", "2..3 2: 2 0", "3.. 2: 2 0"],
            id="the band reached on everything",
        ),
        pytest.param(
            {"rule": "whole_overage", "pays": "per_unit", "outside": "zero", "bands": FALLING},
            # below 1 the rate 1; from 1 on 1 + 2 x (x - 1); from 2 on 1 + 4 x (x - 1), which is 5 at 2
            ["..0 zero: 0 0", "0..1 1: 0 1", "1..2 2: 1 2", "2.. 3: 5 4"],
            id="the band reached on all of the overage",
        ),
        pytest.param(
            {"rule": "whole_overage", "pays": "per_unit", "outside": "zero", "bands": [{"to": 1, "value": 1}, {"from": 2, "to": 3, "value": 2}]},
            ["..1 1: 0 1", "1..2 zero: 1 0", "2..3 2: 3 2", "3.. zero: 5 0"],
            id="what is reached stays in a gap and above",
        ),
        pytest.param(
            {"rule": "curve", "pays": "fixed", "outside": "edge", "points": [{"at": 1, "value": 10}, {"at": 2, "value": 30}, {"at": 4, "value": 40}]},
            ["..1 1: 10 0", "1..2 1: 10 20", "2..4 2: 30 10/2", "4.. 2: 40 0"],
            id="a curve",
        ),
        pytest.param(
            {"rule": "curve", "pays": "fixed", "outside": "hold", "points": [{"at": 1, "value": 10}, {"at": 2, "value": 30}]},
            ["..1 hold: held", "1..2 1: 10 20", "2.. hold: held"],
            id="a curve whose ends wait",
        ),
        pytest.param(
            {"rule": "rate_from_start", "pays": "per_unit", "outside": "zero", "bands": [
                {"from": 0, "to": 10, "value": 1}, {"from": 10, "to": 20, "value": 3, "back_to_start": True}, {"from": 20, "value": 5}]},
            # at 10 it is 3 x 10, at 20 it is 3 x 20
            ["..0 zero: 0 0", "0..10 1: 0 1", "10..20 2: 30 3", "20.. 3: 60 5"],
            id="from a threshold back to the first sale",
        ),
        pytest.param(
            {"rule": "rate_from_start", "pays": "per_unit", "outside": "zero", "bands": [
                {"from": 5, "to": 10, "value": 1}, {"from": 12, "value": 3, "back_to_start": True}]},
            ["..5 zero: 0 0", "5..10 1: 0 1", "10..12 zero: 5 0", "12.. 2: 36 3"],
            id="nothing up to a threshold, then everything",
        ),
        pytest.param(
            {"rule": "rate_from_start", "pays": "per_unit", "outside": "hold", "bands": [
                {"to": 10, "value": 1}, {"from": 12, "to": 15, "value": 2}, {"from": 15, "value": 3, "back_to_start": True}]},
            ["..10 1: 0 1", "10..12 hold: held", "12..15 2: held", "15.. 3: 45 3"],
            id="above a gap that waits the total waits too",
        ),
        pytest.param(
            {"rule": "rate_from_start", "pays": "per_unit", "outside": "edge", "bands": [
                {"from": -4, "to": -2, "value": 1}, {"from": -2, "to": 10, "value": 3}, {"from": 10, "value": 5, "back_to_start": True}]},
            # at -2 it is -6, at -4 it is -8; the line before goes through both and is stated at 0: -8 + 4
            ["..-4 1: -4 1", "-4..-2 1: -8 1", "-2..10 2: -6 3", "10.. 3: 50 5"],
            id="totals below 0 are counted from 0",
        ),
    ],
)  # fmt: skip
def test_stretches(rate: dict[str, Any], expected: list[str]) -> None:
    assert lines(compiled(**rate)) == expected


def test_one_value_for_everything() -> None:
    found = compiled(basis="none", value="2.5")
    assert lines(found) == [".. 1: 0.025 0"]
    assert found[0].value == Decimal("0.025")


def test_a_modifier_keeps_its_end_factors_beyond_its_ends() -> None:
    points = [(Decimal("0.8"), Decimal("0.9")), (Decimal("1"), Decimal("1.1"))]
    assert lines(modifier_segments(points)) == ["..0.8 edge: 0.9 0", "0.8..1 1: 0.9 0.2/0.2", "1.. edge: 1.1 0"]
