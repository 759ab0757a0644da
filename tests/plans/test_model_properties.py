"""What must hold of every plan, asserted of what the models themselves pay: some two hundred drawn payees in one dbt run.

A case is a plan, each of its payees is an example, and the lines of all its periods are looked at. Nothing is compared with
the second reckoning: `test_properties` asserts the same and more of that.
"""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from tests.plans.case_files import Case
from tests.plans.random_cases import as_text, faults
from tests.plans.scenarios import CENT, Scenario

from dealermart.base import Settings
from dealermart.config import load_cases, load_contracts, load_registry
from dealermart.warehouse.case_run import Found, run_cases

pytestmark = pytest.mark.integration

SEED = 20260101
LINES = "mart_incentive__statement_line"
JANUARY = date(2026, 1, 15)
NOBODY = "Z"  # who sells nothing
TARGET = Decimal(1000)


def case_of(name: str, plan: dict[str, Any], period: str, payees: list[dict[str, Any]], sales: list[Any]) -> Case:
    """A case that asks for the lines and balances of all its periods."""
    return {
        "case": name,
        "plan": plan,
        "period": period,
        "payees": payees,
        "sales": [{key: value for key, value in row.items() if key != "part"} for row in sales],
        "expect": {"marts": {LINES: [], "balance": []}},
        "company": {"calendar": None},
    }


# ------------------------------------------------------------------------------------------------ slicing


def marginal_rates(pick: random.Random) -> list[dict[str, Any]]:
    """Tables whose bands each pay for their own part, and nothing below zero."""

    def bands(ends: list[str], values: list[str], closed: bool = False) -> list[dict[str, Any]]:
        cut = sorted(Decimal(end) for end in pick.sample(ends, 2))
        marks = [Decimal(0), *cut]
        found = [
            {"from": lower, "to": upper, "value": Decimal(pick.choice(values))} for lower, upper in pairwise(marks)
        ]
        last: dict[str, Any] = {"from": marks[-1], "value": Decimal(pick.choice(values))}
        return [*found, last | ({"to": marks[-1] * 2} if closed else {})]

    shares, amounts = ["0.5", "0.8", "1", "1.2", "1.5"], ["333.33", "500", "1000", "1499.99"]
    percents, sums = ["0", "0.0125", "1.25", "3.75", "7"], ["0", "25", "99.99"]
    found = []
    for _ in range(2):
        outside = pick.choice(["zero", "edge"])
        found += [
            {"basis": "amount", "rule": "marginal", "outside": outside, "bands": bands(amounts, percents)},
            {"basis": "attainment", "rule": "marginal", "outside": outside, "bands": bands(shares, percents)},
            {"basis": "attainment", "rule": "interpolated", "pays": "fixed", "outside": "zero", "bands": bands(shares, sums, closed=True)},
            {"basis": "attainment", "rule": "marginal", "pays": "fixed", "outside": "zero", "bands": bands(shares, sums)},
        ]  # fmt: skip
    return found


def sliced_cases(pick: random.Random) -> list[Case]:
    """Of each rate totals that rise from payee to payee: as one sale (W), and cut into several (C)."""
    made = []
    for number, rate in enumerate(marginal_rates(pick)):
        marks = [band["from"] * (TARGET if rate["basis"] == "attainment" else 1) for band in rate["bands"][1:]]
        totals = [Decimal(pick.randrange(1, 250_000)) / 100 for _ in range(4)] + [pick.choice(marks) + CENT, *marks]
        sales, payees = [], []
        for place, total in enumerate(sorted(totals)):
            cuts = sorted({Decimal(pick.randrange(int(total * 100) + 1)) / 100 for _ in range(pick.randint(1, 4))})
            parts = [upper - lower for lower, upper in pairwise([Decimal(0), *cuts, total]) if upper > lower]
            for payee, amounts in ((f"W{place}", [total]), (f"C{place}", parts)):
                payees.append({"payee_id": payee})
                sales += [{"seller_id": payee, "net_amount": amount, "sale_date": JANUARY} for amount in amounts]
        component = {"id": "a", "measure": {"of": "net_revenue"}, "target": {"value": TARGET}, "rate": rate}
        plan = {"plan": "p", "period": "month", "components": [component]}
        made.append(case_of(f"sliced {number}", plan, "2026-01", payees, sales))
    return made


# ------------------------------------------------------------------------------------------------ returns


def returned_cases(pick: random.Random, count: int) -> list[Case]:
    """Rate tables of all kinds, and payees all of whose sales come back in the next period, whole or in two parts."""
    made: list[Case] = []
    while len(made) < count:
        scenario = Scenario(pick.randrange(10**6), "tables")
        scenario.periods = [first := scenario.periods[0], first.shifted(1)]
        scenario.sales, scenario.documents = [], 0
        if scenario.plan["period"] == "year" or faults(scenario.plan):
            continue
        for component in scenario.plan["components"]:
            component["returns"] = pick.choice(["original_rate", "rerate"])
        scenario.payees.append({**scenario.payees[0], "payee_id": NOBODY})
        for payee in scenario.names[:-1]:
            for _ in range(pick.randint(1, 3)):
                for row in scenario.sale(first, payee):
                    half = pick.choice([None, Decimal("0.5")])
                    for part in (half, half) if half else (Decimal(1),):
                        scenario.back(row, scenario.periods[1], part, "return")
        made.append(
            case_of(f"returned {len(made)}", scenario.plan, scenario.periods[1].name, scenario.payees, scenario.sales)
        )
    return made


# -------------------------------------------------------------------------------------------------- draws


def draw_cases(pick: random.Random, count: int) -> list[Case]:
    """Draws of all kinds over some periods."""
    made: list[Case] = []
    while len(made) < count:
        scenario = Scenario(pick.randrange(10**6), "draws")
        if not faults(scenario.plan) and len(scenario.periods) > 1:
            last = scenario.periods[-1].name
            made.append(case_of(f"draws {len(made)}", scenario.plan, last, scenario.payees, scenario.sales))
    return made


# --------------------------------------------------------------------------------------------- what holds


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Found]:
    """Name of the case -> what the models say of it."""
    folder, pick = tmp_path_factory.mktemp("home"), random.Random(SEED)
    cases = [*sliced_cases(pick), *returned_cases(pick, 40), *draw_cases(pick, 24)]
    path = folder / "drawn.yml"
    path.write_text(as_text(cases), "utf-8")
    settings = Settings(home=folder)
    tests = load_cases(path, load_contracts(settings), load_registry(settings))
    told = run_cases(settings, tests, lambda text: None)
    return {case["case"]: one for case, one in zip(cases, told, strict=True) if one is not None}


def of_kind(found: dict[str, Found], kind: str) -> dict[str, Found]:
    return {name: told for name, told in found.items() if name.startswith(kind)}


def lines_of(told: Found) -> list[dict[str, Any]]:
    """The lines up to the period of the case; other cases of the run may go on for longer."""
    return [line for line in told.marts[LINES] if line["period_id"] <= told.world.span.period_id]


def paid(told: Found) -> dict[str, Decimal | None]:
    """Payee -> all that the lines of all periods come to; None where one waits for a person."""
    totals: dict[str, Decimal | None] = {}
    for line in lines_of(told):
        so_far = totals.get(line["payee_id"], Decimal(0))
        totals[line["payee_id"]] = None if so_far is None or line["amount"] is None else so_far + line["amount"]
    return totals


def test_marginal_pay_is_free_of_slicing_and_never_falls(found: dict[str, Found]) -> None:
    checked, wrong = 0, []
    for name, told in of_kind(found, "sliced").items():
        totals = paid(told)
        whole = [totals[f"W{place}"] for place in range(len(totals) // 2)]
        cut = [totals[f"C{place}"] for place in range(len(totals) // 2)]
        checked += len(whole)
        if None in whole or whole != cut or whole != sorted(whole, key=lambda amount: amount or 0):
            wrong.append(f"{name}: whole {whole}, cut {cut}")
    assert wrong == []
    assert checked >= 56


def test_sales_that_all_come_back_leave_nothing(found: dict[str, Found]) -> None:
    """Of tables that pay nothing for nothing: a bonus that needs no sale is not taken back with one."""
    checked, wrong = 0, []
    for name, told in of_kind(found, "returned").items():
        totals = paid(told)
        for payee, amount in totals.items():
            if payee != NOBODY and amount is not None and totals[NOBODY] == 0:
                checked += 1
                if amount:
                    wrong.append(f"{name}: {payee} keeps {amount}")
    assert wrong == []
    assert checked >= 50


def test_paid_less_what_is_owed_is_what_was_earned(found: dict[str, Found]) -> None:
    checked, wrong = 0, []
    for name, told in of_kind(found, "draws").items():
        draws = told.world.test.plans[0][1].draws
        recoverable = {number for number, draw in enumerate(draws, start=1) if draw.is_recoverable}
        earned: dict[str, Decimal] = defaultdict(Decimal)
        for line in lines_of(told):
            is_draw = line["line_kind"] in ("draw", "draw_recovery")
            if not is_draw or int(line["line_detail"]) not in recoverable:
                earned[line["payee_id"]] += line["amount"]
        last = told.world.span.period_id
        for payee, amount in paid(told).items():
            mine = [row for row in told.marts["balance"] if row["payee"] == payee and row["balance"] == "draw"]
            owed = sum((row["closing"] for row in mine if row["period_id"] == last), Decimal(0))
            checked += 1
            if amount is None or amount - owed != earned[payee] or owed < 0:
                wrong.append(f"{name}: {payee} was paid {amount}, owes {owed}, earned {earned[payee]}")
    assert wrong == []
    assert checked >= 40
