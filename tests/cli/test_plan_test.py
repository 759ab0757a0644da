"""``dealermart plan test``: cases as people write them, what is said of them, and exit codes."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
import yaml

from dealermart.base import REPO, Settings
from dealermart.cli import main
from dealermart.config import TestCase, load_cases, load_company, load_contracts, load_registry
from dealermart.warehouse.case_rows import World, span_of

Run = Callable[..., tuple[int, str]]

FLAT = "{id: c, measure: {of: net_revenue}, credit: [seller], rate: {basis: none, value: 10}}"

# One call, so that all of them cost one run of dbt for each company file.
CASES = f"""\
cases:
  - case: ten percent
    plan: {{plan: p, period: month, components: [{FLAT}]}}
    period: 2026-02
    payees: [{{payee_id: A}}, {{payee_id: B}}]
    sales:
      - {{seller_id: A, net_amount: 1000, sale_date: 2026-02-03}}
      - {{seller_id: A, net_amount: -200, sale_date: 2026-02-04}}
      - {{seller_id: A, net_amount: 5000, sale_date: 2026-03-01}}
    expect:
      payout: {{A: 80.00, B: 0}}
      lines: [{{payee: A, component: c, base: 800, earned: 80.00, kind: earned}}]
      reasons: [{{payee: B, reason: come to zero}}]
  - case: the same ids in another case
    plan: {{plan: p, period: month, components: [{FLAT}]}}
    period: 2026-02
    payees: [{{payee_id: A}}]
    sales: [{{transaction_id: sale1, seller_id: A, net_amount: 70, sale_date: 2026-02-03}}]
    expect: {{payout: {{A: 7.00}}}}
  - case: a dealer is paid
    plan:
      plan: p
      payee: dealer
      period: quarter
      components: [{{id: rebate, measure: {{of: units}}, rate: {{basis: none, pays: per_unit, value: 2}}}}]
    period: 2026-Q1
    payees: [{{payee_id: D}}]
    sales: [{{dealer_id: D, net_amount: 1, quantity: 6, sale_date: 2026-02-03}}]
    expect: {{payout: {{D: 12}}}}
  - case: rates of its own
    plan: {{plan: p, period: month, currency: USD, components: [{FLAT}]}}
    period: 2026-02
    payees: [{{payee_id: A}}]
    sales: [{{seller_id: A, net_amount: 700, sale_date: 2026-02-03}}]
    fx_rates: [{{from_currency_code: USD, rate: 7}}]
    expect: {{lines: [{{payee: A, currency: USD, earned: 10.00, base: 100}}]}}
  - case: other rates
    plan: {{plan: p, period: month, currency: USD, components: [{FLAT}]}}
    period: 2026-02
    payees: [{{payee_id: A}}]
    sales: [{{seller_id: A, net_amount: 700, sale_date: 2026-02-03}}]
    fx_rates: [{{from_currency_code: USD, rate: 10}}]
    expect: {{payout: {{A: 7}}}}
  - case: half of the target for half of the month, and half of that for the company
    plan:
      plan: p
      period: month
      components:
        - id: c
          measure: {{of: net_revenue}}
          credit: [seller]
          target: {{metric: net_revenue, prorate: calendar_days}}
          gates: [{{kpi: csat_pct, subject: company, below: 0.8, then: {{factor: 0.5}}}}]
          rate: {{basis: attainment, rule: whole_base, pays: fixed, outside: zero, bands: [{{from: 1, value: 500}}]}}
    period: 2026-04
    payees: [{{payee_id: A}}]
    targets: [{{subject_id: A, target_value: 100}}]
    sales: [{{seller_id: A, net_amount: 50, sale_date: 2026-04-30}}]
    absences: [{{member_id: A, valid_from: 2026-04-01, valid_to: 2026-04-16}}]
    inputs: {{kpi_values: [{{kpi_code: csat_pct, subject_id: company, value: 0.7}}]}}
    adjustments: [{{payee_id: A, amount: 12.50}}]
    expect:
      payout: {{A: 262.50}}
      marts: {{target: [{{payee: A, target: 50}}]}}
  - case: another fiscal year, and a line that waits
    company: {{fiscal_year_start_month: 4}}
    plan:
      plan: p
      period: quarter
      components:
        - id: c
          measure: {{of: net_revenue}}
          credit: [seller]
          target: {{metric: net_revenue}}
          rate: {{basis: attainment, rule: whole_base, pays: fixed, outside: hold, bands: [{{from: 1, value: 500}}]}}
    period: 2027-Q1
    payees: [{{payee_id: A}}, {{payee_id: B}}]
    targets: [{{subject_id: A, target_value: 100}}, {{subject_id: B, target_value: 100}}]
    sales:
      - {{seller_id: A, net_amount: 100, sale_date: 2026-06-30}}
      - {{seller_id: A, net_amount: 900, sale_date: 2026-07-01}}
      - {{seller_id: B, net_amount: 99, sale_date: 2026-06-30}}
    expect:
      payout: {{A: 500}}
      held: [{{payee: B, component: c}}]
      marts: {{mart_incentive__statement: [{{payee_id: B, status: held, period_id: 2027-Q1}}]}}
  - case: refused
    plan: {{plan: p, period: month, components: [{{id: c, measure: {{of: net_revenue}}, rate: {{basis: attainment}}}}]}}
    period: 2026-02
    payees: [{{payee_id: A}}]
    expect: {{refused: there is no attainment without a target}}
"""

WRONG = f"""\
cases:
  - case: expects too much
    plan: {{plan: p, period: month, components: [{FLAT}]}}
    period: 2026-02
    payees: [{{payee_id: A}}]
    sales: [{{seller_id: A, net_amount: 1000, sale_date: 2026-02-03}}]
    expect:
      payout: {{A: 200.00, C: 1}}
      lines: [{{payee: A, component: c, band: 1, earned: 200.00}}]
      marts: {{mart_incentive__statement: [{{payee: A}}]}}
  - case: is not refused
    plan: {{plan: p, period: month, components: [{FLAT}]}}
    period: 2026-02
    payees: [{{payee_id: A}}]
    expect: {{refused: anything}}
  - case: is refused for something else
    plan: {{plan: p, period: week, components: [{FLAT}]}}
    period: 2026-02
    payees: [{{payee_id: A}}]
    expect: {{refused: there is no attainment}}
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Shared, so that dbt parses its project once."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def run(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command with the repository's config; gives exit code and all that was printed."""
    monkeypatch.setenv("DEALERMART_HOME", str(home))

    def command(*arguments: str | Path) -> tuple[int, str]:
        capsys.readouterr()
        try:
            code = main(["plan", *map(str, arguments)])
        except SystemExit as stop:
            code = int(stop.code or 0)
        return code, "".join(capsys.readouterr())

    return command


def written(folder: Path, text: str) -> Path:
    path = folder / "cases.yml"
    path.write_text(text, "utf-8")
    return path


def loaded(folder: Path, text: str) -> list[TestCase]:
    settings = Settings(home=folder)
    return load_cases(written(folder, text), load_contracts(settings), load_registry(settings))


@pytest.mark.integration
def test_cases_that_hold(run: Run, tmp_path: Path) -> None:
    code, said = run("test", written(tmp_path, CASES))
    assert (code, [line for line in said.splitlines() if line.startswith(("different", "error"))]) == (0, []), said
    assert "8 cases: 8 ok, 0 different" in said


@pytest.mark.integration
def test_a_difference_stands_beside_what_came_out_and_its_working(run: Run, tmp_path: Path) -> None:
    code, said = run("test", written(tmp_path, WRONG))
    assert code == 1
    assert "3 cases: 0 ok, 3 different" in said
    for told in (
        "  payout of A\n    expected  200.00\n    actual    100.00\n",
        "  payout of C\n    expected  1\n    actual    no statement\n",
        "    expected  payee A, component c, band 1, earned 200\n    actual    payee A, component c, band 1, earned 100\n",
        "there is no column payee; there are scenario_id",
        "  working of A\n    component  kind    detail  band  base  rate  earned\n",
        "    expected  refused: anything\n    actual    the plan has no fault\n",
        "    expected  refused: there is no attainment\n    actual    refused: field period: Input should be",
    ):
        assert told in said
    code, said = run("test", tmp_path / "cases.yml", "--json", "--case", "expects too much")
    told, _ = json.JSONDecoder().raw_decode(said)
    assert (code, told["ok"], told["different"]) == (1, 0, 1)
    assert told["cases"][0]["differences"][0] == {
        "what": "payout of A", "expected": "200.00", "actual": "100.00", "payee": "A"
    }  # fmt: skip
    assert told["cases"][0]["working"]["A"][0]["earned"] == "100.00"


BROKEN = {
    "no file": ("", "the file does not exist"),
    "no cases": ("cases: []", "field cases"),
    "unknown key": (CASES.replace("    sales:\n", "    sale:\n", 1), "cases.yml:6: field cases.0.sale"),
    "unknown column": (CASES.replace("net_amount: 1000", "net: 1000"), "cases.yml:7: field cases.0.sales.0.net"),
    "no number": (CASES.replace("net_amount: 1000", "net_amount: much"), "'much' is no number"),
    "no day": (CASES.replace("2026-02-03}", "02.03.2026}", 1), "cases.yml:7: field cases.0.sales.0.sale_date"),
    "no period": (CASES.replace("period: 2026-02", "period: 2026-Q5", 1), "cases.yml:4: field cases.0.period"),
    "a period of another kind": (
        CASES.replace("period: 2026-02", "period: 2026-Q1", 1), "cases.yml:4: field cases.0.period: the plan pays by the month"
    ),
    "a name twice": (CASES.replace("case: other rates", "case: ten percent"), "the name 'ten percent' stands twice"),
    "no feed": (CASES.replace("inputs: {kpi_values:", "inputs: {kpi_valued:"), "there is no feed kpi_valued"),
    "no KPI": (CASES.replace("kpi_code: csat_pct", "kpi_code: csat"), "there is no KPI csat"),
    "nothing expected": (CASES.replace("expect: {payout: {A: 7}}", "expect: {}"), "the case expects nothing"),
    "a broken plan": (CASES.replace("basis: none, value: 10", "basis: none, value: x", 1), "cases.yml:3: field cases.0.plan"),
    "no such mart": (CASES.replace("mart_incentive__statement:", "mart_pay:"), "there is no mart mart_pay"),
    "no such company": (CASES.replace("company: {fiscal_year_start_month: 4}", "company: other.yml"), "other.yml"),
    "no such field": (CASES.replace("fiscal_year_start_month: 4", "fiscal_start: 4"), "company, field fiscal_start"),
}  # fmt: skip


@pytest.mark.integration
@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_wrong_usage(run: Run, tmp_path: Path, name: str) -> None:
    text, told = BROKEN[name]
    path = written(tmp_path, text) if text else tmp_path / "cases.yml"
    code, said = run("test", path)
    assert code == 2
    assert told in said
    assert "mend: " in said


def test_wrong_arguments_are_wrong_usage(run: Run, tmp_path: Path) -> None:
    assert run("test")[0] == 2
    code, said = run("test", written(tmp_path, CASES), "--case", "none")
    assert code == 2
    assert "no file has a case 'none'" in said


def test_the_schema_of_cases_knows_the_feeds(run: Run, tmp_path: Path) -> None:
    code, said = run("schema", "--of", "cases")
    schema = json.loads(said)
    assert code == 0
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)

    def plainly(text: str) -> Any:
        return json.loads(json.dumps(yaml.safe_load(text), default=str))

    assert [error.message for error in validator.iter_errors(plainly(CASES.split("  - case: refused")[0]))] == []
    assert not validator.is_valid(plainly(CASES.replace("net_amount: 1000", "net: 1000")))
    assert not validator.is_valid(plainly(CASES.replace("basis: none", "basis: nothing")))
    for path in sorted((REPO / "tests" / "plans" / "public").glob("*.yml"))[:3]:
        assert [error.message for error in validator.iter_errors(plainly(path.read_text("utf-8")))] == []


@pytest.mark.parametrize(
    ("first_month", "period", "expected"),
    [
        (1, "2026-01", ("2026-M01", "2026-01-01", "2026-02-01")),
        (1, "2026-M12", ("2026-M12", "2026-12-01", "2027-01-01")),
        (1, "2026-Q2", ("2026-Q2", "2026-04-01", "2026-07-01")),
        (1, "2026", ("2026", "2026-01-01", "2027-01-01")),
        (4, "2026-03", ("2026-M12", "2026-03-01", "2026-04-01")),
        (4, "2026-04", ("2027-M01", "2026-04-01", "2026-05-01")),
        (4, "2027-Q4", ("2027-Q4", "2027-01-01", "2027-04-01")),
        (4, "2027", ("2027", "2026-04-01", "2027-04-01")),
    ],
)
def test_periods(first_month: int, period: str, expected: tuple[str, str, str]) -> None:
    assert tuple(map(str, span_of(first_month, period))) == expected


def world(test: TestCase) -> World:
    settings = Settings(home=Path("nowhere"))
    company = load_company(settings).model_copy(update={"calendar_start": dt.date(2025, 1, 1)})
    return World(test, "t3~", company, load_contracts(settings), load_registry(settings).by_code)


def test_what_a_case_leaves_out(tmp_path: Path) -> None:
    feeds = world(loaded(tmp_path, CASES)[0]).feeds()
    assert feeds["sales"][1] == {
        "transaction_id": "t3~sale2", "line_no": 1, "transaction_type": "return", "channel": "sell_in",
        "dealer_id": "t3~dealer", "product_id": "t3~product", "quantity": -1, "currency_code": "CNY",
        "seller_id": "t3~A", "net_amount": -200, "sale_date": dt.date(2026, 2, 4),
    }  # fmt: skip
    assert feeds["plan_assignments"][1] == {
        "plan_assignment_id": "t3~assignment2", "plan_id": "t3~p", "payee_type": "member", "payee_id": "t3~B",
        "currency_code": "CNY", "valid_from": dt.date(2026, 2, 1),
    }  # fmt: skip
    assert [row["member_id"] for row in feeds["team_members"]] == ["t3~A", "t3~B"]
    assert {row["team"] for row in feeds["team_members"]} == {"t3~team"}
    assert [row["dealer_id"] for row in feeds["dealers"]] == ["t3~dealer"]
    assert [row["product_id"] for row in feeds["products"]] == ["t3~product"]


def test_a_target_is_of_the_period_and_the_payee(tmp_path: Path) -> None:
    (target,) = world(loaded(tmp_path, CASES)[5]).feeds()["targets"]
    assert target == {
        "target_id": "t3~target1", "subject_type": "member", "subject_id": "t3~A", "metric": "net_revenue", "unit": "CNY",
        "valid_from": dt.date(2026, 4, 1), "valid_to": dt.date(2026, 5, 1), "target_value": 100,
    }  # fmt: skip


FILTERED = """\
cases:
  - case: filters
    plan:
      plan: p
      period: month
      components:
        - id: c
          measure: {of: net_revenue}
          filter: {product: [X, Y], dealer: [D], region: [North], product_category: [Bikes]}
          gates: [{kpi: csat_pct, subject: company, below: 0.8, then: {factor: 0}}, {kpi: csat_pct, below: 1, then: {factor: 0}}]
          rate: {basis: none, value: 1}
    period: 2026-02
    payees: [{payee_id: A, valid_from: 2026-01-01}]
    kpi_values: [{kpi_code: csat_pct, subject_id: company, value: 0.7}, {kpi_code: csat_pct, subject_id: A, value: 0.7}]
    paid: [{payee: A, period: 2026-01, component: c, amount: 5}]
    expect: {payout: {A: 0}}
"""


def test_a_plan_bears_the_mark_of_its_case(tmp_path: Path) -> None:
    tables = world(loaded(tmp_path, FILTERED)[0]).plans()
    assert {row["plan_id"] for rows in tables.values() for row in rows} == {"t3~p"}
    held = tables["plan_filter"][0]
    assert (held["product"], held["dealer"], held["region"]) == ("|t3~X|t3~Y|", "|t3~D|", "|t3~North|")
    assert held["product_category"] == "|Bikes|"
    assert [row["kpi_code"] for row in tables["plan_gate"]] == ["t3~csat_pct", "csat_pct"]


def test_what_was_paid_and_the_values_of_kpis(tmp_path: Path) -> None:
    of_case = world(loaded(tmp_path, FILTERED)[0])
    assert of_case.before("paid") == [
        {
            "scenario_id": "paid", "payee_type": "member", "payee_id": "t3~A", "plan_id": "t3~p", "component_id": "c",
            "currency_code": "CNY", "amount": 5, "period_id": "2026-M01",
        }
    ]  # fmt: skip
    told = [(row["subject_type"], row["subject_id"], row["kpi_code"]) for row in of_case.marked_kpi_values()]
    assert told == [("company", "company", "t3~csat_pct"), ("member", "t3~A", "csat_pct")]


def test_a_balance_is_of_the_period_and_of_the_only_component(tmp_path: Path) -> None:
    more = "    balances_before: [{payee: A, balance: hold, amount: 5}]\n    expect:"
    (balance,) = world(loaded(tmp_path, FILTERED.replace("    expect:", more))[0]).before("balances_before")
    told = (balance["payee_id"], balance["period_id"], balance["component_id"], balance["balance"], balance["amount"])
    assert told == ("t3~A", "2026-M02", "c", "hold", Decimal(5))
