"""``dealermart plan``: schema, lint and show, as people use them."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from dealermart.base import DataError, Settings, UsageError
from dealermart.cli import main
from dealermart.config import Plan, load_company
from dealermart.warehouse import payees_of, plan_cover, read_payees, uncovered
from dealermart.warehouse.calendar import period_bounds

Run = Callable[..., tuple[int, str]]

SOUND = """\
plan: extra
period: quarter
valid_to: 2026-04-01
components:
  - id: a
    measure: {of: net_revenue}
    rate: {basis: none, value: 2}
"""
FALLING = """\
plan: extra
period: quarter
components:
  - id: a
    measure: {of: net_revenue}
    rate:
      basis: amount
      rule: whole_base
      bands:
        - {to: 100, value: 2}
        - {from: 100, value: 1}
"""


@pytest.fixture
def run(settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command on the test company; gives exit code and all that was printed."""
    monkeypatch.setenv("DEALERMART_HOME", str(settings.home))
    monkeypatch.setenv("DEALERMART_CONFIG", str(settings.config))

    def command(*arguments: str | Path) -> tuple[int, str]:
        capsys.readouterr()
        code = main(["plan", *map(str, arguments)])
        return code, "".join(capsys.readouterr())

    return command


def test_the_schema_knows_the_fields(run: Run) -> None:
    code, said = run("schema")
    schema = json.loads(said)
    assert code == 0
    assert {"plan", "period", "components"} == set(schema["required"])
    assert {"from", "to", "value", "back_to_start"} == set(schema["$defs"]["Band"]["properties"])
    assert schema["$defs"]["Share"]["properties"]["on"]["enum"] == ["invoiced", "collected"]


def test_a_sound_plan_passes(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "extra.yml"
    path.write_text(SOUND, "utf-8")
    assert run("lint", path) == (0, "1 files: 0 refused, 0 findings\n")


def test_findings_and_refusals_name_their_lines(run: Run, tmp_path: Path) -> None:
    falling, broken, version = tmp_path / "falling.yml", tmp_path / "broken.yml", tmp_path / "version.yml"
    falling.write_text(FALLING, "utf-8")
    broken.write_text(SOUND.replace("value: 2", "value: two"), "utf-8")
    version.write_text(SOUND.replace("plan: extra", "plan: sales_commission\nversion: 2"), "utf-8")
    code, said = run("lint", falling, broken, version)
    assert code == 1
    assert f"{falling}:11: field components.0.rate.bands.1: the rate falls from 2 to 1" in said
    assert "  mend: correct the value, or write decelerates: true" in said
    assert f"refused: {broken}:7: field components.0.rate.value: " in said
    assert "holds at the same time as version 1 of sales_commission, plans/sales_commission.yml" in said
    assert said.endswith("3 files: 2 refused, 1 findings\n")


def test_versions_among_the_files_are_compared(run: Run, tmp_path: Path) -> None:
    first, second = tmp_path / "a.yml", tmp_path / "b.yml"
    first.write_text(SOUND, "utf-8")
    second.write_text(SOUND.replace("plan: extra", "plan: extra\nversion: 2"), "utf-8")
    code, said = run("lint", first, second)
    assert code == 1
    assert f"holds at the same time as version 1 of extra, {first}" in said


def test_payees_of_a_list_whom_no_plan_covers(run: Run, tmp_path: Path) -> None:
    path, payees = tmp_path / "extra.yml", tmp_path / "payees.csv"
    path.write_text(SOUND, "utf-8")
    payees.write_text("payee_id,plan_id\nM1,extra\nM2,\nM3,gone\nM4,gone\nM4,sales_commission\n", "utf-8")
    code, said = run("lint", path, "--period", "2026-Q1", "--payees", payees)
    assert code == 1
    assert "M2: no plan is assigned\n  mend: " in said
    assert "M3: gone is assigned, which is no plan\n" in said
    assert "M1" not in said and "M4" not in said
    assert said.endswith("1 files: 0 refused, 0 findings, 2 payees of 2026-Q1 without a plan\n")
    code, said = run("lint", path, "--period", "2026-Q2", "--payees", payees)
    assert "M1: extra is assigned, which does not hold in the period\n" in said


def test_what_cannot_be_answered_says_why(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "extra.yml"
    path.write_text(SOUND, "utf-8")
    assert run("lint", path, "--period", "2026-Q1")[0] == 1  # nothing was built
    code, said = run("lint", path, "--period", "2026-13", "--payees", path)
    assert (code, "2026-13 is no period of the calendar" in said or "no column" in said) == (1, True)
    with pytest.raises(SystemExit):
        run("lint", path, "--payees", path)
    assert run("lint", tmp_path / "gone.yml")[0] == 1
    assert "does not exist" in run("show", tmp_path / "gone.yml")[1]


def test_a_plan_in_sentences(run: Run, settings: Settings) -> None:
    path = settings.config / "plans" / "sales_commission.yml"
    code, said = run("show", path)
    assert code == 0
    assert "from 0.8 to 1 (excluded): 1.5 % of the measure" in said
    assert "从 0.8 到 1（不含）：实绩的 1.5%" in run("show", path, "--language", "zh")[1]


def test_whom_the_warehouse_knows(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Assigned payees of the period, and members who sell and are assigned to nothing."""
    settings.warehouse.parent.mkdir(parents=True)
    with duckdb.connect(str(settings.warehouse)) as con:
        con.execute("create schema intermediate; create schema marts")
        con.execute(
            "create table intermediate.int_incentive__payee_period as select * from (values "
            "('paid', 'member', 'M1', 'p', date '2026-01-01', date '2026-04-01'), "
            "('paid', 'dealer', 'D1', 'r', date '2026-03-01', date '2026-04-01'), "
            "('paid', 'member', 'M2', 'p', date '2025-10-01', date '2026-01-01')) "
            "as t (scenario_id, payee_type, payee_id, plan_id, period_start, period_end)"
        )
        con.execute(
            "create table marts.dim_member as select * from (values "
            "('M1', 'sales', date '2025-01-01', cast(null as date), cast(null as date)), ('M2', 'sales', date '2025-01-01', null, null), "
            "('M3', 'service', date '2025-01-01', null, null), "
            "('M4', 'sales', date '2025-01-01', null, date '2026-01-01')) "
            "as t (member_id, role, valid_from, valid_to, left_date)"
        )
    monkeypatch.setattr(plan_cover, "finished", lambda settings: {})
    company = load_company(settings)
    found = payees_of(settings, company, "2026-Q1")
    assert found == [("dealer", "D1", "r"), ("member", "M1", "p"), ("member", "M2", None)]
    plans = [
        Plan.model_validate(
            {
                "plan": plan,
                "period": "month",
                "components": [
                    {"id": "a", "measure": {"of": "units"}, "rate": {"basis": "none", "pays": "per_unit", "value": 1}}
                ],
            }
        )
        for plan in ("p", "r")
    ]
    assert uncovered(company, "2026-Q1", found, plans) == [
        ("D1", "r is assigned, which is not for a dealer"),
        ("M2", "no plan is assigned"),
    ]


@pytest.mark.parametrize(
    ("month", "period", "first", "after"),
    [
        (1, "2026", dt.date(2026, 1, 1), dt.date(2027, 1, 1)),
        (1, "2026-M12", dt.date(2026, 12, 1), dt.date(2027, 1, 1)),
        (4, "2027-Q1", dt.date(2026, 4, 1), dt.date(2026, 7, 1)),  # a year is named by the one in which it ends
        (4, "2027-M12", dt.date(2027, 3, 1), dt.date(2027, 4, 1)),
        (4, "2026-Q4", None, None),  # before the calendar
        (1, "2026-Q5", None, None),
    ],
)
def test_periods_are_fiscal(
    settings: Settings, month: int, period: str, first: dt.date | None, after: dt.date | None
) -> None:
    company = load_company(settings).model_copy(
        update={"fiscal_year_start_month": month, "calendar_start": dt.date(2026, month, 1)}
    )
    if first is None:
        with pytest.raises(UsageError, match="no period of the calendar"):
            period_bounds(company, period)
    else:
        assert period_bounds(company, period) == (first, after)


def test_a_list_without_its_columns_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "payees.csv"
    path.write_text("payee_id\nM1\n", "utf-8")
    with pytest.raises(DataError, match="no column plan_id"):
        read_payees(path)
    path.write_bytes("payee_id,plan_id\n经销商,\n".encode("gb18030"))
    with pytest.raises(DataError, match="not UTF-8"):
        read_payees(path)
