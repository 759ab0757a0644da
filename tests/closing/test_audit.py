"""A closed quarter comes out of landing again, bit for bit; and what makes it come out otherwise is named."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import duckdb
import pytest
from tests import small
from tests.closing import built
from tests.integration import states

from dealermart import frozen, upkeep, warehouse
from dealermart.base import DataError, Settings, UsageError, read_runs
from dealermart.cli import main

PAY = tuple(frozen.kind_of("pay").tables)


@pytest.mark.integration
def test_a_closed_quarter_comes_out_again_whatever_came_since(
    company: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A correction of January, another target and another plan change nothing of what was closed."""
    config = tmp_path / "config"
    shutil.copytree(company.config, config)
    states.add_plans(config)
    project = small.project(tmp_path / "project", PAY, judged=False)
    settings = replace(company, home=tmp_path / "home", config=config, project=project)
    for name, folder in {"HOME": settings.home, "CONFIG": config, "PROJECT": project}.items():
        monkeypatch.setenv(f"DEALERMART_{name}", str(folder))
    drop = states.write(tmp_path / "drop", states.first_delivery() | states.PLANS)
    states.deliver(settings, dt.date(2026, 5, 4), drop, dt.datetime(2026, 5, 4, 6))
    warehouse.run(settings, period=states.PERIOD)
    built.closed(settings, "2026-Q1")
    (folder,) = frozen.chain(settings)
    paid = duckdb.sql(f"select sum(amount) from '{folder.tables['mart_incentive__payout']}'").fetchall()
    assert paid[0][0] > 0
    late = {"sales": ["A11,1,invoice,D1,P1,1,99999.00,1,2026-01-11,"], "targets": ["T1,M1,2026-01-01,2026-04-01,1"]}
    states.deliver(settings, dt.date(2026, 5, 11), states.write(tmp_path / "late", late), dt.datetime(2026, 5, 11, 6))
    plan = config / "plans" / "sales_commission.yml"
    plan.write_text(plan.read_text("utf-8").replace("value: 2.5", "value: 9.5"), "utf-8")
    assert main(["audit", "rebuild", "--period", "2026-Q1"]) == 0
    assert "pay/2026-Q1/V1R1 comes out again as it was closed" in capsys.readouterr().out
    assert not (settings.home / "audit").exists()


@pytest.fixture
def again(ready: Settings, monkeypatch: pytest.MonkeyPatch) -> Callable[[built.Rows], None]:
    """The first quarter is closed; a rebuild is pretended that gives the rows it is told."""
    built.closed(ready, "2026-Q1")

    def gives(rows: built.Rows) -> None:
        def run(settings: Settings, *arguments: object, **named: object) -> SimpleNamespace:
            built.build(settings, rows)
            return SimpleNamespace(warehouse=settings.warehouse)

        monkeypatch.setattr("dealermart.upkeep.audited.warehouse.run", run)

    return gives


Again = Callable[[built.Rows], None]


def other(mart: str, **changes: object) -> built.Rows:
    """The first quarter, with other values in the rows of M2 of one mart."""
    rows = [row | changes if row.get("payee_id") == "M2" else row for row in built.FIRST[mart]]
    return {**built.FIRST, mart: rows}


def test_the_same_rows_are_the_same(ready: Settings, again: Again) -> None:
    again(built.FIRST)
    done = upkeep.audit(ready, "2026-Q1")
    assert done.is_same and done.differences == () and done.rows["mart_incentive__payout"] == 2


CAUSES = {
    "nothing changed": "log, config, models, code and packages are those of then: look for a fault of the program",
    "the log": "commits of the log up to 1 were changed",
    "the models": "the models were changed",
    "the code": "the code was",
    "the packages": "the locked packages were changed",
}


@pytest.mark.parametrize("case", CAUSES)
def test_a_difference_names_the_first_row_and_its_cause(
    ready: Settings, again: Again, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], case: str
) -> None:
    again(other("mart_incentive__payout", amount="-19.00"))
    if case == "the log":
        path = ready.log / "00000001.json"
        path.write_text(path.read_text("utf-8") + "\n", "utf-8")
    patches = {
        "the models": ("dealermart.upkeep.audited.warehouse.code_hash", lambda settings: "other"),
        "the code": ("dealermart.upkeep.audited.code_version", lambda: "9.9"),
        "the packages": ("dealermart.upkeep.audited.closing.lock_hash", lambda: "other"),
    }
    if case in patches:
        monkeypatch.setattr(*patches[case])
    assert main(["audit", "rebuild", "--period", "2026-Q1"]) == 1
    said = capsys.readouterr().out
    assert f"mart_incentive__payout differs in amount: {CAUSES[case]}" in said
    assert "payee_id M2, period_id 2026-Q1, currency_code USD" in said
    assert "amount: closed -20.00, rebuilt -19.00" in said and said.count("differs in") == 1
    (run,) = (entry for entry in read_runs(ready) if entry["command"] == "audit")
    assert run["same"] is False and "-20.00" not in str(run), "no value of a row stands in the run log"


def test_a_row_too_few_or_too_many_is_named(ready: Settings, again: Again) -> None:
    again({**built.FIRST, "mart_incentive__payout": built.FIRST["mart_incentive__payout"][:1]})
    (found,) = upkeep.audit(ready, "2026-Q1").differences
    assert "mart_incentive__payout had a row that is not made now" in str(found) and found.key["payee_id"] == "M2"
    more = built.pay("2026-Q1", ("M3", "CNY", "1.00"))["mart_incentive__payout"]
    again({**built.FIRST, "mart_incentive__payout": [*built.FIRST["mart_incentive__payout"], *more]})
    (found,) = upkeep.audit(ready, "2026-Q1").differences
    assert "mart_incentive__payout has a row that was not closed" in str(found) and found.key["payee_id"] == "M3"


def test_codes_that_were_erased_since_are_no_difference_of_pay(ready: Settings, again: Again) -> None:
    again(built.pay("2026-Q1", ("erased-0123456789ab", "CNY", "1000.10"), ("M2", "USD", "-20.00")))
    done = upkeep.audit(ready, "2026-Q1")
    assert done.is_same and {found.table for found in done.differences} == set(PAY)
    again(built.pay("2026-Q1", ("erased-0123456789ab", "CNY", "1000.11"), ("M2", "USD", "-20.00")))
    assert not upkeep.audit(ready, "2026-Q1").is_same


def test_a_landed_file_that_was_changed_is_named(ready: Settings, again: Again) -> None:
    again(built.FIRST)
    (payload,) = (path for path in ready.landing.rglob("payload") if b"1000.00" in path.read_bytes())
    payload.chmod(0o600)
    payload.write_bytes(payload.read_bytes().replace(b"1000.00", b"1000.01"))
    with pytest.raises(DataError, match="a landed file was changed"):
        upkeep.audit(ready, "2026-Q1")


def test_only_what_is_closed_can_be_compared(ready: Settings, again: Again) -> None:
    with pytest.raises(UsageError, match="2026-Q2 of kind pay is not closed") as error:
        upkeep.audit(ready, "2026-Q2")
    assert "closed are: 2026-Q1" in str(error.value)


def test_an_erasure_says_what_stays_in_closed_folders(ready: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    built.closed(ready, "2026-Q1")
    built.closed(ready, "2026-Q2", by="M1")
    before = {path: path.read_bytes() for path in ready.closed.rglob("*") if path.is_file()}
    asked = ["--by", "Chen, data protection", "--reason", "request 2026-118"]
    assert main(["erase", "--person", "M1", *asked, "--dry-run"]) == 0
    said = capsys.readouterr()
    assert "closed/pay/2026-Q1/V1R1: 7 rows with the person's code stay" in said.out
    done = upkeep.erase(ready, upkeep.Wanted("M1"), asked[1], asked[3])
    assert done.closed == {"pay/2026-Q1/V1R1": len(PAY), "pay/2026-Q2/V1R1": len(PAY)}, "a row of each table"
    assert {path: path.read_bytes() for path in ready.closed.rglob("*") if path.is_file()} == before
    assert frozen.verify(ready) == []


def test_an_erasure_names_closed_folders_whose_words_name_the_person(ready: Settings) -> None:
    built.closed(ready, "2026-Q1", by="王小伟, finance")
    wanted = upkeep.Wanted("M1", also=("王小伟",))
    done = upkeep.erase(ready, wanted, "Chen, data protection", "request 2026-118", dry_run=True)
    assert done.named_in == ["closed/pay/2026-Q1/V1R1/manifest.json"]
