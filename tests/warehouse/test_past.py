"""What is in the log cannot be taken back: nothing slips in, nothing is lost, and a repeat is no news."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from dealermart import ingest, lake, upkeep, warehouse
from dealermart.base import BuildError, ConfigError, Settings, UsageError
from dealermart.cli import main

pytestmark = pytest.mark.slow


Drop = Callable[..., Path]
DAY = dt.date(2026, 3, 2)
HEAD = "doc,line,kind,dealer,product,qty,net,cost,day,seller\n"
SALES = HEAD + "A1,1,invoice,D1,P1,2,100.00,60.00,2026-02-10,\n"
# One of its dates has a form that the profile does not take.
LATER = HEAD + "A2,1,invoice,D1,P1,2,7.00,1.00,2026-02-11,\nA3,1,invoice,D1,P1,2,-5.00,1.00,11 Feb 2026,\n"


def test_a_repeat_adds_no_commit_and_moves_no_date(settings: Settings, drop: Drop) -> None:
    folder = drop({"sales.csv": SALES})
    ingest.run(settings, "mini", DAY, folder)
    (folder / "sales.csv").rename(folder / "sales_again.csv")
    again = ingest.run(settings, "mini", dt.date(2026, 9, 9), folder)
    assert [one.status for one in again.files] == ["duplicate"]
    log = lake.read(settings)
    assert (log.last, log.received) == (1, "2026-03-02")


def test_a_date_on_which_nothing_was_taken_is_not_the_latest(settings: Settings, drop: Drop) -> None:
    ingest.run(settings, "mini", DAY, drop({"sales.csv": SALES}))
    ingest.run(settings, "mini", dt.date(2026, 9, 9), drop({"sales.csv": "doc,line\nX,1\n"}))
    assert lake.read(settings).received == "2026-03-02"
    assert lake.read(settings).last == 2, "the refusal is a decision and is kept"


@pytest.mark.parametrize(
    ("received", "ingested_at"),
    [
        pytest.param(dt.date(9999, 12, 31), None, id="received"),
        pytest.param(DAY, dt.datetime(2099, 1, 1), id="learnt"),
    ],
)
def test_the_future_is_refused(
    settings: Settings, drop: Drop, received: dt.date, ingested_at: dt.datetime | None
) -> None:
    with pytest.raises(UsageError, match="lies in the future"):
        ingest.run(settings, "mini", received, drop({"sales.csv": SALES}), ingested_at=ingested_at)
    assert lake.read(settings).last == 0


def test_a_rebuild_does_not_take_what_was_rejected_then(settings: Settings, drop: Drop) -> None:
    """A date format added to the profile would let a row in that no check has seen: an invoice below zero."""
    ingest.run(settings, "mini", DAY, drop({"sales.csv": LATER}))
    profile = settings.sources / "mini" / "source.yml"
    profile.write_text(profile.read_text("utf-8").replace('"%Y/%m/%d"', '"%Y/%m/%d", "%d %b %Y"'), "utf-8")
    before = {path.name: path.read_bytes() for path in settings.lake.rglob("*.parquet")}
    upkeep.rebuild(settings)
    assert {path.name: path.read_bytes() for path in settings.lake.rglob("*.parquet")} == before
    (held,) = settings.quarantine.rglob("*.parquet")
    assert duckdb.sql(f"select row_number, stage, rule from '{held}'").fetchall() == [(3, "map", "map")]


def test_a_rebuild_by_a_profile_that_gives_other_rows_stops(settings: Settings, drop: Drop) -> None:
    """Without the order of day and month a row would be rejected that was accepted then."""
    profile = settings.sources / "mini" / "source.yml"
    text = profile.read_text("utf-8")
    profile.write_text(text.replace('"%Y/%m/%d"', '"%d/%m/%Y"'), "utf-8")
    slashed = SALES.replace("A1", "A9").replace("2026-02-10", "10/02/2026")
    ingest.run(settings, "mini", DAY, drop({"sales.csv": SALES + slashed.removeprefix(HEAD)}))
    profile.write_text(text, "utf-8")
    before = {path.name: path.read_bytes() for path in settings.lake.rglob("*.parquet")}
    with pytest.raises(ConfigError, match="rejected 0 then, 1 now") as error:
        upkeep.rebuild(settings)
    assert "sales.csv" in str(error.value)
    assert {path.name: path.read_bytes() for path in settings.lake.rglob("*.parquet")} == before


def test_a_rebuild_keeps_the_rows_of_refused_files(settings: Settings, drop: Drop) -> None:
    short = HEAD + "A1,1,invoice\nA2,1,invoice\nA3,1,invoice,D1,P1,1,5,1,2026-02-11,\n"
    result = ingest.run(
        settings,
        "mini",
        DAY,
        drop({"sales.csv": short, "dealers.csv": "dealer,since,name,region,city\nD1,2026-01-01,甲,East,上海\n"}),
    )
    assert [one.status for one in result.files] == ["accepted", "refused"]
    before = sorted(path.name for path in settings.quarantine.rglob("*.parquet"))
    assert before
    upkeep.rebuild(settings)
    assert sorted(path.name for path in settings.quarantine.rglob("*.parquet")) == before


@pytest.mark.parametrize(
    "command", [["doctor"], ["ingest", "--source", "mini", "--received", "2026-03-03"], ["rebuild"]]
)
def test_a_log_with_a_gap_or_half_a_commit_is_noticed(
    settings: Settings,
    drop: Drop,
    command: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("DEALERMART_HOME", str(settings.home))
    monkeypatch.setenv("DEALERMART_CONFIG", str(settings.config))
    ingest.run(settings, "mini", DAY, drop({"sales.csv": SALES}))
    ingest.run(settings, "mini", dt.date(2026, 3, 3), drop({"sales.csv": LATER}))
    first = settings.log / "00000001.json"
    kept = first.read_bytes()
    first.unlink()
    assert main(command) == 1
    said = capsys.readouterr()
    assert "commit 1 of the log is missing" in said.out + said.err
    first.write_bytes(kept[: len(kept) // 2])
    assert main(command) == 1
    said = capsys.readouterr()
    assert "00000001.json: the commit cannot be read" in said.out + said.err
    assert "restore log/" in said.out + said.err


def test_nothing_was_known_before_the_first_commit(settings: Settings, drop: Drop) -> None:
    ingest.run(settings, "mini", DAY, drop({"sales.csv": SALES}), ingested_at=dt.datetime(2026, 3, 2, 6))
    with pytest.raises(UsageError, match="nothing was known at that moment"):
        warehouse.run(settings, as_of=dt.datetime(2026, 3, 1))


def test_what_a_killed_run_left_is_cleared_and_a_dry_run_clears_nothing(settings: Settings, drop: Drop) -> None:
    left = settings.work / "20260301T000000-ingest-abcdef"
    left.mkdir(parents=True)
    (settings.home / "lake.old").mkdir()
    (settings.home / "lake.old" / "lake").mkdir()
    ingest.run(settings, "mini", DAY, drop({"sales.csv": SALES}), dry_run=True)
    assert left.exists() and not settings.lake.exists()
    ingest.run(settings, "mini", DAY, drop({"sales.csv": SALES}))
    assert not left.exists()


@pytest.mark.parametrize(
    "expression",
    [
        pytest.param("current_date", id="date"),
        pytest.param("cast(now() as date)", id="now"),
        pytest.param("case when random() < 2 then day end", id="chance"),
        pytest.param("cast(cast(uuid() as varchar) as varchar)", id="uuid"),
    ],
)
def test_a_mapping_gives_the_same_rows_whenever_it_runs(settings: Settings, drop: Drop, expression: str) -> None:
    select = settings.sources / "mini" / "sales.sql"
    select.write_text(select.read_text("utf-8").replace("day as sale_date", f"{expression} as sale_date"), "utf-8")
    with pytest.raises(ConfigError, match=r"the select (calls|reads)") as error:
        ingest.run(settings, "mini", DAY, drop({"sales.csv": SALES}))
    assert "sales.sql" in str(error.value)
    assert not list(settings.log.glob("*.json"))


def test_no_room_is_said_in_one_line(
    settings: Settings, drop: Drop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DEALERMART_HOME", str(settings.home))
    monkeypatch.setenv("DEALERMART_CONFIG", str(settings.config))
    folder = drop({"sales.csv": SALES})

    def full(*arguments: object, **named: object) -> None:
        raise OSError(28, "No space left on device", str(settings.landing))

    monkeypatch.setattr("dealermart.base.runlog.write_json", full)
    assert main(["ingest", "--source", "mini", "--received", "2026-03-02", "--drop", str(folder)]) == 1
    said = capsys.readouterr().err
    assert "No space left on device" in said and "mend: make room" in said and "Traceback" not in said


def test_a_home_that_is_a_file_is_named(tmp_path: Path, settings: Settings) -> None:
    from dataclasses import replace

    home = tmp_path / "file"
    home.write_text("", "utf-8")
    found = {one.name: one for one in upkeep.examine(replace(settings, home=home))}
    assert not found["home"].ok and "cannot be written" in found["home"].text


def test_half_a_state_file_only_costs_a_full_build(settings: Settings) -> None:
    path = settings.warehouse.with_suffix(".state.json")
    path.parent.mkdir(parents=True)
    path.write_text('{"done": {"se', "utf-8")
    with pytest.raises(BuildError, match="no finished build"):
        warehouse.finished(settings)


@pytest.mark.integration
def test_a_damaged_warehouse_makes_the_build_a_full_one_even_if_that_is_killed(
    settings: Settings, drop: Drop, monkeypatch: pytest.MonkeyPatch
) -> None:
    ingest.run(settings, "mini", DAY, drop({"sales.csv": SALES}))
    warehouse.run(settings)
    ingest.run(settings, "mini", dt.date(2026, 3, 3), drop({"sales.csv": LATER}))
    with settings.warehouse.open("r+b") as file:
        file.write(b"\0" * 8192)

    def killed(*arguments: object, **named: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("dealermart.warehouse.build.dbt_build", killed)
        with pytest.raises(KeyboardInterrupt):
            warehouse.run(settings)
    assert "from" not in json.loads(settings.warehouse.with_suffix(".state.json").read_text("utf-8"))["attempt"]
    result = warehouse.run(settings)
    assert result.full
    shutil.rmtree(settings.home)
