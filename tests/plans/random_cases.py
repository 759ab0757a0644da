"""Random cases of plans with what the reference says must come out, in the form of the case files.

    python -m tests.plans.random_cases --seed 7 --count 1000 > cases.yml

A scenario is a plan and the facts of one or several periods; each period is a case, whose `paid` and `balances_before`
are what the reference said of the periods before.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Any

import yaml
from tests.plans.amounts import Statement
from tests.plans.case_files import Case
from tests.plans.periods import Period
from tests.plans.reference import Engine
from tests.plans.rounding import cents, money
from tests.plans.scenarios import THEMES, Row, Scenario

from dealermart.base import REPO
from dealermart.config import Plan, Registry, load_yaml

KPIS = load_yaml(REPO / "config" / "kpis.yml", Registry).by_code


def cases_of(scenario: Scenario) -> Iterator[Case]:
    """A case for each period, with what the reference says of it."""
    paid: list[Row] = []
    opening: dict[tuple[str, str], Fraction] = {}
    for index, period in enumerate(scenario.periods):
        case = _case(scenario, index, period, paid, opening)
        engine = Engine(case)
        found = engine.statement()
        case["expect"] = expectation(case, engine, found)
        if case["expect"]:
            yield case
        if any(line.earned is None for line in found.lines):
            return
        paid += _paid(scenario, period, found)
        for key, balance in found.balances.items():
            opening[key] = balance.closing


def _case(
    scenario: Scenario, index: int, period: Period, paid: list[Row], opening: dict[tuple[str, str], Fraction]
) -> Case:
    case: Case = {
        "case": f"random {scenario.seed} {scenario.theme} {period.name}",
        "plan": scenario.plan,
        "period": period.name,
        "payees": scenario.payees,
    }
    if scenario.targets:
        case["targets"] = scenario.targets
    sales = [
        {key: value for key, value in row.items() if key != "part"}
        for row in scenario.sales
        if row["sale_date"] < period.end and scenario.known_from.get(row["transaction_id"], 0) <= index
    ]
    if sales:
        case["sales"] = sales
    inputs: dict[str, list[Row]] = {name: rows for name, rows in scenario.inputs.items() if rows}
    if "payments" in inputs:
        known = {row["transaction_id"] for row in sales}
        inputs["payments"] = [
            row for row in inputs["payments"] if row["payment_date"] < period.end and row["transaction_id"] in known
        ]
    rows = [
        {"payee": payee, "balance": name, "amount": money(amount)}
        for (payee, name), amount in opening.items()
        if amount
    ]
    if rows:
        inputs["balances_before"] = rows
    inputs = {name: rows for name, rows in inputs.items() if rows}
    if inputs:
        case["inputs"] = inputs
    if paid:
        case["paid"] = list(paid)
    return case


def _paid(scenario: Scenario, period: Period, found: Statement) -> list[Row]:
    """Lines of a closed period: by document where they are, and what belongs to none."""
    rows = []
    for payee in found.payout:
        for component in scenario.plan["components"]:
            total = sum(
                (
                    line.earned or Fraction(0)
                    for line in found.lines
                    if (line.payee, line.component) == (payee, component["id"])
                ),
                Fraction(0),
            )
            head = {"payee": payee, "period": period.name, "component": component["id"]}
            documents = (
                {}
                if component.get("accumulate") == "year_to_date"
                else {
                    key[2]: amount
                    for key, amount in found.due_by_document.items()
                    if key[:2] == (payee, component["id"])
                }
            )
            for document, amount in sorted(documents.items()):
                rows.append({**head, "amount": money(amount), "transaction_id": document})
            rest = total - sum(documents.values(), Fraction(0))
            if scenario.theme == "less_paid" and scenario.chance(0.4):
                rest += Fraction(scenario.random.choice([-100, 1, 250]), 100)
            # A period of which nothing is said was not paid yet; one that was paid nothing says so.
            if rest or scenario.theme == "less_paid":
                rows.append({**head, "amount": money(rest)})
    return rows


def expectation(case: Case, engine: Engine, found: Statement) -> Row:
    """What the reference says, as a case expects it."""
    expect: Row = {}
    payout = {payee: money(amount) for payee, amount in found.payout.items() if amount is not None}
    if payout:
        expect["payout"] = payout
    lines: list[Row] = []
    for line in found.lines:
        if line.earned is None:
            lines.append({"payee": line.payee, "component": line.component, "status": "held"})
        elif line.kind == "spiff" and line.earned:
            lines.append({"payee": line.payee, "component": line.component, "earned": money(line.earned)})
        elif line.kind == "earned" and line.band is not None and line.earned:
            component = engine.component(line.component)
            if len(component.rate_rules) > 1 or component.accumulate == "year_to_date":
                continue
            # Documents of one period may be paid by two tables, each with a band of that number.
            if component.accumulate == "transaction" and any(gate.then.rate for gate in component.gates):
                continue
            row = {"payee": line.payee, "component": line.component, "band": line.band, "earned": money(line.earned)}
            if (
                line.base is not None
                and cents(line.base) == line.base
                and component.rate_rules[0].rate.is_sliced
                and component.rate_rules[0].rate.pays == "pct"
                and not any(gate.then.rate for gate in component.gates)
            ):
                row = {
                    "payee": line.payee,
                    "component": line.component,
                    "band": line.band,
                    "base": money(line.base),
                    "earned": money(line.earned),
                }
            if component.currency is not None:
                row["currency"] = line.currency
            lines.append(row)
    if lines:
        expect["lines"] = lines
    marts: Row = {}
    balances = [
        {
            "payee": payee,
            "balance": name,
            "opening": money(balance.opening),
            "movement": money(balance.movement),
            "closing": money(balance.closing),
        }
        for (payee, name), balance in found.balances.items()
        if found.payout.get(payee) is not None
    ]
    if balances:
        marts["balance"] = balances
    with_target = [
        component
        for component in engine.plan.components
        if component.target is not None and component.accumulate != "year_to_date"
    ]
    if len(with_target) == 1:
        rows = [
            {"payee": payee, "target": money(cents(value))}
            for (payee, code), value in found.targets.items()
            # Below ten two decimals are too few digits to tell a figure by.
            if code == with_target[0].id and value is not None and (value >= 10 or value == cents(value) > 0)
        ]
        if rows:
            marts["target"] = rows
    if found.proposals:
        marts["proposal"] = [
            {**row, **({"value": money(row["value"])} if "value" in row else {})} for row in found.proposals
        ]
    if marts:
        expect["marts"] = marts
    return expect


def faults(plan: Row) -> list[str]:
    """What the product would refuse in a plan."""
    return [fault.what for fault in Plan.model_validate(plan).faults(KPIS)]


def random_cases(seed: int, count: int, theme: str | None = None) -> Iterator[Case]:
    """So many cases, the same for a seed."""
    given, number = 0, seed * 1_000_000
    while given < count:
        scenario = Scenario(number, theme)
        number += 1
        if faults(scenario.plan):
            continue
        for case in cases_of(scenario):
            if given < count:
                given += 1
                yield case


class _Dumper(yaml.SafeDumper):
    """Numbers as they are, no anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _number(dumper: yaml.SafeDumper, value: Decimal) -> yaml.Node:
    text = format(value, "f")
    return dumper.represent_scalar("tag:yaml.org,2002:float" if "." in text else "tag:yaml.org,2002:int", text)


_Dumper.add_representer(Decimal, _number)


def as_text(cases: list[Case]) -> str:
    """A case file."""
    return yaml.dump(
        {"cases": cases}, Dumper=_Dumper, sort_keys=False, width=120, allow_unicode=True, default_flow_style=None
    )


def main() -> None:
    """Write random cases to the standard output."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--theme", choices=sorted(set(THEMES)))
    given = parser.parse_args()
    sys.stdout.write(as_text(list(random_cases(given.seed, given.count, given.theme))))


if __name__ == "__main__":
    main()
