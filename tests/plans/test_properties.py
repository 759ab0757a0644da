"""What must hold of every plan, whatever it pays; and that random cases are sound and say what the reference says."""

from __future__ import annotations

import random
from collections import defaultdict
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.plans.case_files import Case, cases_of_text
from tests.plans.expected import differences
from tests.plans.random_cases import as_text, cases_of, faults, random_cases
from tests.plans.reference import Engine, settle
from tests.plans.scenarios import THEMES, Scenario

SEEDS = st.integers(min_value=0, max_value=10**6)
CENTS = st.integers(min_value=0, max_value=400_000).map(lambda number: Decimal(number) / 100)


def statements(scenario: Scenario) -> list[Engine]:
    """The periods of a scenario one after the other, each with what the ones before it left."""
    found = []
    for case in cases_of(scenario):
        engine = Engine(case)
        found.append(engine)
    return found


def case_of(rate: dict[str, Any], amounts: list[Decimal], **component: Any) -> Case:
    """One payee, one component, some sales in one month."""
    return {
        "case": "made",
        "plan": {
            "plan": "p",
            "period": "month",
            "components": [
                {"id": "a", "measure": {"of": "net_revenue"}, "target": {"value": 1000}, "rate": rate, **component}
            ],
        },
        "period": "2026-M02",
        "payees": [{"payee_id": "A"}],
        "sales": [
            {"transaction_id": f"T{number:03d}", "seller_id": "A", "net_amount": amount, "sale_date": "2026-02-03"}
            for number, amount in enumerate(amounts)
        ],
        "expect": {},
    }


def payout(case: Case) -> Fraction:
    found = settle(case).payout["A"]
    assert found is not None
    return found


MARGINAL = [
    {"basis": "amount", "rule": "marginal", "outside": "zero", "bands": [{"from": 0, "to": 800, "value": Decimal("1.25")}, {"from": 800, "to": 1000, "value": 0}, {"from": 1000, "value": Decimal("3.5")}]},
    {"basis": "attainment", "rule": "marginal", "outside": "edge", "bands": [{"from": Decimal("0.5"), "to": 1, "value": 2}, {"from": 1, "value": 5}]},
    {"basis": "attainment", "rule": "interpolated", "pays": "fixed", "outside": "zero", "bands": [{"from": 0, "to": Decimal("0.5"), "value": 100}, {"from": Decimal("0.5"), "to": Decimal("1.2"), "value": 50}]},
    {"basis": "attainment", "rule": "marginal", "pays": "fixed", "outside": "zero", "bands": [{"from": Decimal("0.8"), "to": 1, "value": 100}, {"from": 1, "value": 150}]},
]  # fmt: skip


@pytest.mark.parametrize("rate", MARGINAL, ids=["amount", "attainment", "interpolated", "steps"])
@given(less=CENTS, more=CENTS)
@settings(max_examples=40, deadline=None, derandomize=True)
def test_marginal_pay_never_falls_when_sales_rise(rate: dict[str, Any], less: Decimal, more: Decimal) -> None:
    assert payout(case_of(rate, [less])) <= payout(case_of(rate, [less + more]))


@pytest.mark.parametrize("rate", MARGINAL, ids=["amount", "attainment", "interpolated", "steps"])
@given(parts=st.lists(CENTS, min_size=1, max_size=5))
@settings(max_examples=30, deadline=None, derandomize=True)
def test_pay_does_not_depend_on_how_sales_are_cut(rate: dict[str, Any], parts: list[Decimal]) -> None:
    whole = settle(case_of(rate, [sum(parts, Decimal(0))]))
    cut = Engine(case_of(rate, parts))
    assert cut.statement().payout == whole.payout
    outcome = cut.outcome("A", cut.plan.components[0], cut.period)
    assert outcome is not None
    if rate.get("pays") != "fixed" or rate["rule"] == "interpolated":
        assert sum(outcome.parts.values(), Fraction(0)) == outcome.amount  # each cent belongs to a sale


@given(seed=SEEDS, theme=st.sampled_from(sorted(set(THEMES))))
@settings(max_examples=20, deadline=None, derandomize=True)
def test_the_order_of_rows_changes_nothing(seed: int, theme: str) -> None:
    shuffler = random.Random(seed)
    for case in cases_of(Scenario(seed, theme)):
        lists = {
            name: shuffler.sample(case[name], len(case[name]))
            for name in ("targets", "sales", "paid", "payees")
            if name in case
        }
        inputs = {name: shuffler.sample(rows, len(rows)) for name, rows in case.get("inputs", {}).items()}
        numbered = [{"line_no": 1, **row} for row in lists.get("sales", [])]
        shuffled = {**case, **lists, "sales": numbered, "inputs": inputs}
        assert list(differences(shuffled, settle(shuffled))) == []


@given(seed=SEEDS, theme=st.sampled_from(["holdback", "instalments"]))
@settings(max_examples=8, deadline=None, derandomize=True)
def test_holds_and_instalments_are_the_whole(seed: int, theme: str) -> None:
    scenario = Scenario(seed, theme)
    if scenario.plan["period"] == "year":
        return
    payment_days = [row["payment_date"] for row in scenario.inputs.get("payments", [])]
    scenario.periods += [
        scenario.periods[-1].shifted(number) for number in range(1, 26 if theme == "instalments" else 14)
    ]
    assert all(when < scenario.periods[-1].end for when in payment_days)
    paid: dict[str, Fraction] = defaultdict(Fraction)
    earned: dict[str, Fraction] = defaultdict(Fraction)
    for engine in statements(scenario):
        found = engine.statement()
        for payee, amount in found.payout.items():
            assert amount is not None
            outcome = engine.outcome(payee, engine.plan.components[0], engine.period)
            assert outcome is not None
            paid[payee] += amount
            earned[payee] += outcome.amount
            last = {key: balance.closing for key, balance in found.balances.items()}
    for payee in paid:
        assert earned[payee] == paid[payee] + sum(amount for (who, _), amount in last.items() if who == payee)
        release = scenario.plan["components"][0]["payout"].get("release", {})
        if release.get("at") != "collected":
            assert earned[payee] == paid[payee]


@given(seed=SEEDS)
@settings(max_examples=40, deadline=None, derandomize=True)
def test_a_draw_is_paid_back_or_owed(seed: int) -> None:
    scenario = Scenario(seed, "draws")
    recoverable = {
        f"draw {index + 1}"
        for index, draw in enumerate(scenario.plan["draws"])
        if draw["kind"] == "ahead" or draw.get("recoverable")
    }
    owed: dict[str, Fraction] = defaultdict(Fraction)
    for engine in statements(scenario):
        found = engine.statement()
        for payee, amount in found.payout.items():
            assert amount is not None
            mine = [line for line in found.lines if line.payee == payee]
            earned = sum(
                (line.earned or Fraction(0) for line in mine if line.kind not in ("draw", "recovery")), Fraction(0)
            )
            given_away = sum(
                (
                    line.earned or Fraction(0)
                    for line in mine
                    if line.kind == "draw" and line.component not in recoverable
                ),
                Fraction(0),
            )
            owed[payee] += amount - earned - given_away
            assert owed[payee] >= 0
            if recoverable:
                assert found.balances[payee, "draw"].closing == owed[payee]


LINEAR = [
    {"basis": "none", "value": Decimal("1.25")},
    MARGINAL[0],
    {"basis": "amount", "rule": "whole_base", "outside": "zero", "bands": [{"from": 0, "to": 700, "value": 1}, {"from": 700, "value": Decimal("2.5")}]},
    {"basis": "attainment", "rule": "interpolated", "pays": "fixed", "outside": "zero", "bands": [{"from": 0, "to": 1, "value": Decimal("99.99")}]},
]  # fmt: skip


@pytest.mark.parametrize("returns", ["original_rate", "rerate"])
@pytest.mark.parametrize("accumulate", ["period", "transaction"])
@pytest.mark.parametrize("rate", LINEAR, ids=["flat", "marginal", "whole base", "interpolated"])
@given(amount=CENTS.filter(bool), parts=st.lists(st.sampled_from([Decimal("0.25"), Decimal("0.5")]), max_size=2))
@settings(max_examples=10, deadline=None, derandomize=True)
def test_a_sale_and_its_whole_return_give_nothing(
    rate: dict[str, Any], accumulate: str, returns: str, amount: Decimal, parts: list[Decimal]
) -> None:
    if accumulate == "transaction" and rate["basis"] == "attainment":
        return
    case = case_of(rate, [amount], accumulate=accumulate, returns=returns)
    total = payout(case)
    left = amount
    pieces = [amount * part for part in parts if part]
    pieces.append(amount - sum(pieces, Decimal(0)))
    for number, piece in enumerate(pieces, start=1):
        left -= piece
        back = {
            "transaction_id": f"R{number}",
            "transaction_type": "return",
            "original_transaction_id": "T000",
            "seller_id": "A",
            "net_amount": -piece,
            "sale_date": f"2026-0{2 + number}-05",
        }
        case = {**case, "period": f"2026-M0{2 + number}", "sales": [*case["sales"], back]}
        total += payout(case)
    assert left == 0
    assert total == 0


@given(seed=SEEDS)
@settings(max_examples=15, deadline=None, derandomize=True)
def test_shares_are_the_whole_when_all_money_is_in(seed: int) -> None:
    scenario = Scenario(seed, "shares")
    scenario.inputs.pop("payments", None)
    for document in {row["transaction_id"]: None for row in scenario.sales}:
        rows = [row for row in scenario.sales if row["transaction_id"] == document]
        last = scenario.periods[-1].start
        scenario.pay(document, max(last, rows[0]["sale_date"]), sum((row["net_amount"] for row in rows), Decimal(0)))
    paid: dict[str, Fraction] = defaultdict(Fraction)
    earned: dict[str, Fraction] = defaultdict(Fraction)
    for engine in statements(scenario):
        for payee, amount in engine.statement().payout.items():
            outcome = engine.outcome(payee, engine.plan.components[0], engine.period)
            if amount is None or outcome is None:
                return
            paid[payee] += amount
            earned[payee] += outcome.amount
    assert paid == earned


@pytest.mark.parametrize("theme", sorted(set(THEMES)))
def test_a_theme_makes_sound_plans(theme: str) -> None:
    sound = [seed for seed in range(8) if not faults(Scenario(seed, theme).plan)]
    assert len(sound) >= 4


def test_random_cases_are_what_the_file_says() -> None:
    made = list(random_cases(11, 60))
    assert made == list(random_cases(11, 60))
    read = cases_of_text(as_text(made))
    assert len(read) == 60
    for case in read:
        assert list(differences(case, settle(case))) == []
