"""What a closing freezes, and what it refuses."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from tests.closing.built import FIRST, HEAD, SECOND, build, closed, names, pay, review, together

from dealermart import frozen, ingest
from dealermart.base import DataError, Settings, UsageError, read_runs
from dealermart.cli import main
from dealermart.closing import Asked, examine


def test_a_closed_folder_holds_all_that_was_paid_and_by_what(ready: Settings) -> None:
    done = closed(ready, "2026-Q1")
    assert done.folder == "pay/2026-Q1/V1R1"
    (folder,) = frozen.chain(ready)
    paid = duckdb.sql(
        f"select payee_id, currency_code, amount::varchar from '{folder.tables['mart_incentive__payout']}' order by 1"
    )
    assert paid.fetchall() == [("M1", "CNY", "1000.10"), ("M2", "USD", "-20.00")]
    assert done.rows == {
        f"mart_incentive__{name}": 2
        for name in ("statement", "statement_line", "line_source", "payout", "balance", "credit", "proposal")
    }
    said = folder.manifest
    assert (said["by"], said["reason"], said["waivers"], said["last_month"]) == (
        "Chen, finance",
        "pay run",
        [],
        "2026-M06",
    )
    assert said["lake"]["commit"] == 1 and said["code_version"] and len(said["lock_hash"]) == 64
    assert (folder.config / "plans" / "sales_commission.yml").read_bytes() == (
        ready.config / "plans" / "sales_commission.yml"
    ).read_bytes()
    assert (folder.config / "company.yml").exists() and (folder.config / "sources" / "mini" / "sales.sql").exists()
    assert {
        path: stat.S_IMODE(path.stat().st_mode) & 0o222 for path in folder.path.rglob("*") if path.is_file()
    } == dict.fromkeys([path for path in folder.path.rglob("*") if path.is_file()], 0)
    (run,) = (entry for entry in read_runs(ready) if entry["command"] == "close")
    assert run["closed"] == {"folder": done.folder, "hash": done.hash}


def test_closings_are_a_chain(ready: Settings) -> None:
    first, second = closed(ready, "2026-Q1"), closed(ready, "2026-Q2")
    assert [(folder.seq, folder.manifest["previous"]) for folder in frozen.chain(ready)] == [
        (1, None), (2, {"folder": first.folder, "hash": first.hash}),
    ]  # fmt: skip
    files = frozen.closed_tables(ready, "pay")["mart_incentive__payout"]
    assert [path.parts[-4:-1] for path in files] == [("2026-Q1", "V1R1", "tables"), ("2026-Q2", "V1R1", "tables")]
    assert frozen.closed_tables(ready, "review") == {}
    assert second.hash != first.hash


def test_the_same_rows_give_the_same_bytes(ready: Settings, tmp_path: Path) -> None:
    """Whatever order they lie in."""
    closed(ready, "2026-Q1")
    first = {name: path.read_bytes() for name, path in frozen.chain(ready)[0].tables.items()}
    (ready.closed).rename(tmp_path / "before")
    for path in ready.runs.glob("*close*"):
        path.unlink()
    turned = {name: list(reversed(rows)) for name, rows in FIRST.items()}
    build(ready, together(SECOND, turned))
    closed(ready, "2026-Q1")
    assert {name: path.read_bytes() for name, path in frozen.chain(ready)[0].tables.items()} == first


REFUSED = {
    "twice": ("2026-Q1", "was closed as pay/2026-Q1/V1R1", "adjustments in the open period"),
    "a new version of what was paid": ("2026-Q1 new", "was closed as pay/2026-Q1/V1R1", "nothing is closed twice"),
    "not over yet": ("2026-Q3", "period_ended: 2026-Q3 ends before 2026-10-01", "received on 2026-10-01 or later"),
    "nothing to pay": ("2026-Q4", "has no row of the period 2026-Q4", "2026-Q1, 2026-Q2"),
    "no such period": ("2026-Q9", "has no row of the period 2026-Q9", "name a period that has"),
    "a new version without an old one": ("2026-Q2 new", "has no version yet", "without --new-version"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_closed_is_refused_with_what_to_do(ready: Settings, case: str) -> None:
    asked, what, mend = REFUSED[case]
    build(ready, together(FIRST, SECOND, pay("2026-Q3", ("M1", "CNY", "1.00"))))
    closed(ready, "2026-Q1")
    with pytest.raises((UsageError, DataError)) as error:
        closed(ready, asked.split()[0], new_version=asked.endswith("new"))
    assert what in str(error.value) and mend in str(error.value)
    assert names(ready) == ["pay/2026-Q1/V1R1"]


def test_periods_are_closed_in_their_order(ready: Settings) -> None:
    with pytest.raises(DataError, match="open before it: 2026-Q1") as error:
        closed(ready, "2026-Q2")
    assert "close 2026-Q1 first" in str(error.value)
    closed(ready, "2026-Q2", waivers={"in_order": "the quarter before was paid by the old system"})
    with pytest.raises(UsageError, match="lies before 2026-Q2, which is closed: it is out of order"):
        closed(ready, "2026-Q1")


def test_once_begun_no_period_is_left_out(ready: Settings) -> None:
    build(ready, together(FIRST, SECOND, pay("2026-Q3", ("M1", "CNY", "1.00"))), until="2026-Q3")
    closed(ready, "2026-Q1")
    with pytest.raises(UsageError, match="the gate in_order cannot be waived"):
        closed(ready, "2026-Q3", waivers={"in_order": "in a hurry"})


def test_marts_that_are_behind_are_not_closed(ready: Settings, drop: Callable[..., Path]) -> None:
    import datetime as dt

    ingest.run(
        ready, "mini", dt.date(2026, 7, 3), drop({"sales.csv": HEAD + "A9,1,invoice,D1,P1,1,5,1,2026-02-10,M1\n"})
    )
    with pytest.raises(DataError, match="build_current: changed since the last build: rows") as error:
        closed(ready, "2026-Q1")
    assert "run `dealermart build`" in str(error.value)
    with pytest.raises(UsageError, match="the gate build_current cannot be waived"):
        closed(ready, "2026-Q1", waivers={"build_current": "in a hurry"})


def test_an_unbalanced_ledger_is_refused(ready: Settings) -> None:
    path = ready.log / "00000001.json"
    commit = json.loads(path.read_text("utf-8"))
    commit["deliveries"][0]["accepted"] -= 1
    path.write_text(json.dumps(commit), "utf-8")
    with pytest.raises(
        DataError, match=r"ledger_balanced: rows do not add up: sales\.csv \(mini, received 2026-07-02\)"
    ):
        closed(ready, "2026-Q1")
    assert names(ready) == []


def test_amounts_that_do_not_add_up_are_refused(ready: Settings) -> None:
    wrong = {**FIRST, "mart_incentive__payout": [row | {"amount": "1.00"} for row in FIRST["mart_incentive__payout"]]}
    build(ready, wrong)
    with pytest.raises(DataError, match="marts_reconciled: does not hold: payouts are the sums of the statements"):
        closed(ready, "2026-Q1")


@pytest.fixture
def held(ready: Settings, drop: Callable[..., Path]) -> Settings:
    """One row is in quarantine, and one file was refused."""
    import datetime as dt

    late = HEAD + "A9,1,invoice,,P1,1,5,1,2026-02-10,M1\nA8,1,invoice,D1,P1,1,5,1,2026-02-10,M1\n"
    ingest.run(ready, "mini", dt.date(2026, 7, 3), drop({"sales.csv": late, "sales_bad.csv": "doc,line\nX,1\n"}))
    build(ready, together(FIRST, SECOND))
    return ready


def test_what_is_open_is_waived_by_name_and_reason(held: Settings) -> None:
    with pytest.raises(DataError, match="2 gates are shut") as error:
        closed(held, "2026-Q1")
    assert "quarantine: 1 rows are open" in str(
        error.value
    ) and "nothing_refused: refused and not taken since: sales_bad.csv" in str(error.value)
    done = closed(
        held,
        "2026-Q1",
        waivers={"quarantine": "no dealer of ours", "nothing_refused": "a test file", "in_order": "not needed"},
    )
    assert done.waived == ("quarantine", "nothing_refused"), "one that was not needed is none"
    said = frozen.chain(held)[0].manifest
    assert said["waivers"] == [
        {"gate": "quarantine", "by": "Chen, finance", "reason": "no dealer of ours"},
        {"gate": "nothing_refused", "by": "Chen, finance", "reason": "a test file"},
    ]  # fmt: skip
    assert {gate["name"]: gate["figure"] for gate in said["gates"] if not gate["passed"]} == {
        "nothing_refused": 1,
        "quarantine": 1,
    }


def test_rows_up_to_the_limit_of_the_company_are_no_matter(held: Settings, config: Path) -> None:
    from dataclasses import replace

    company = config / "company.yml"
    company.write_text(company.read_text("utf-8") + "closing_quarantine_rows: 1\n", "utf-8")
    settings = replace(held, config=config)
    build(settings, together(FIRST, SECOND))
    assert {gate.name for gate in examine(settings, Asked("pay", "2026-Q1")) if not gate.passed} == {"nothing_refused"}


@pytest.mark.parametrize("missing", ["by", "reason"])
def test_who_closes_says_so(ready: Settings, missing: str) -> None:
    with pytest.raises(UsageError, match=f"--{missing} is empty"):
        closed(ready, "2026-Q1", **{missing: " "})


def test_a_review_gets_a_new_version_and_keeps_the_old_one(ready: Settings) -> None:
    build(ready, together(FIRST, review("2026-Q1", ("M1", "good"))))
    closed(ready, "2026-Q1", "review")
    with pytest.raises(UsageError, match="was closed as review/2026-Q1/V1R1") as error:
        closed(ready, "2026-Q1", "review")
    assert "say --new-version and why" in str(error.value)
    with pytest.raises(UsageError, match="nothing differs from review/2026-Q1/V1R1"):
        closed(ready, "2026-Q1", "review", new_version=True)
    build(ready, together(FIRST, review("2026-Q1", ("M1", "very good"))))
    closed(ready, "2026-Q1", "review", new_version=True, reason="appeal upheld")
    assert names(ready) == ["review/2026-Q1/V1R1", "review/2026-Q1/V2R1"]
    assert [folder.manifest["reason"] for folder in frozen.chain(ready)] == ["pay run", "appeal upheld"]
    (newest,) = frozen.closed_tables(ready, "review")["mart_review__rating"]
    assert duckdb.sql(f"select rating from '{newest}'").fetchall() == [("very good",)]


def test_the_command_shows_gates_and_closes(ready: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["close", "--period", "2026-Q2", "--dry-run"]) == 1
    assert "in_order" in (said := capsys.readouterr().out) and "may be waived" in said
    assert main(["close", "--period", "2026-Q1", "--by", "Chen", "--reason", "pay run", "--waive", "quarantine"]) == 1
    assert "each --waive needs a --waive-reason" in capsys.readouterr().err
    assert main(["close", "--period", "2026-Q1", "--by", "Chen", "--reason", "pay run"]) == 0
    assert main(["close", "--period", "2026-Q1", "--by", "Chen", "--reason", "pay run"]) == 1
    assert main(["close", "--kind", "bonus", "--period", "2026-Q1", "--by", "Chen", "--reason", "pay run"]) == 1
    assert "one of: pay, review" in capsys.readouterr().err
    assert main(["audit", "verify"]) == 0
    assert "1 closed folders are what was closed" in capsys.readouterr().out
