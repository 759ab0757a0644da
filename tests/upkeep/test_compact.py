"""Compaction: the same rows in fewer files, seen by nobody until it is whole, and repeated by a rebuild."""

from __future__ import annotations

import datetime as dt
import random
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest
from tests import small
from tests.integration import states

from dealermart import ingest, lake, upkeep
from dealermart.base import BalanceError, DataError, Settings, child_environment
from dealermart.cli import main
from dealermart.config import load_contracts
from dealermart.upkeep import compaction
from dealermart.upkeep.compaction import _measure

pytestmark = pytest.mark.slow


FEEDS = ("sales", "dealers", "team_members", "assignments", "products", "targets")


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small project for rows that are all good."""
    return small.project(tmp_path_factory.mktemp("good") / "project", judged=False)


@pytest.fixture(scope="module")
def company(company: Settings, good: Path) -> Settings:
    return replace(company, project=good)


@pytest.fixture
def settings(settings: Settings, good: Path) -> Settings:
    return replace(settings, project=good)


def contents(settings: Settings) -> dict[str, list[tuple[object, ...]]]:
    """Every row of the lake with all of its provenance, by feed and reference."""
    log, known = lake.read(settings), load_contracts(settings)
    rows = {}
    for feed in FEEDS:
        sql = lake.rows_sql(known[feed], log.paths(settings, feed))
        rows[feed] = duckdb.sql(f"select * from ({sql}) order by all").fetchall()
    paths = [str(path) for path in log.paths(settings, "mini.city")]
    if paths:
        read = duckdb.sql(f"select * from read_parquet({paths}, union_by_name = true)")
        rows["city"] = read.select(*sorted(read.columns)).order("all").fetchall()
    return rows


def month_of(settings: Settings, path: str) -> str:
    """The one month of receipt that a lake file holds."""
    sql = f"select distinct strftime(_received_date, '%Y-%m') from read_parquet('{settings.lake / path}')"
    ((month,),) = duckdb.sql(sql).fetchall()
    return str(month)


def winners(settings: Settings, feed: str) -> list[tuple[object, ...]]:
    contract = load_contracts(settings)[feed]
    return duckdb.sql(
        f"select * from ({lake.current_sql(contract, lake.read(settings).paths(settings, feed))}) order by all"
    ).fetchall()


def fill(settings: Settings, tmp_path: Path, seed: int, days: list[str]) -> list[Path]:
    """Deliveries that correct each other, one per day; some with the reference, with a column more from June on."""
    rng, drops = random.Random(seed), []
    for number, day in enumerate(days):
        files = states.corrections(rng) if number else states.first_delivery()
        drop = states.write(tmp_path / f"{settings.home.name}-{number}", files)
        if rng.random() < 0.7:
            head = "city,country,zip" if day >= "2026-06" else "city,country"
            rest = ",1" if day >= "2026-06" else ""
            (drop / "city.csv").write_text(f"{head}\n上海,C{number}{rest}\n北京,D{number}{rest}\n", "utf-8")
        states.deliver(settings, dt.date.fromisoformat(day), drop)
        drops.append(drop)
    return drops


DAYS = ["2026-04-28", "2026-05-04", "2026-05-11", "2026-05-11", "2026-06-08", "2026-06-09", "2026-07-01", "2026-07-02"]
SEEDS = [1, 2, *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(3, 30))]


@pytest.mark.integration
@pytest.mark.parametrize("seed", SEEDS)
def test_not_a_row_changes_and_every_month_that_is_over_has_one_file(
    settings: Settings, tmp_path: Path, seed: int
) -> None:
    days = sorted(["2026-05-05", "2026-05-06", "2026-07-03", *random.Random(seed).sample(DAYS, 2)])
    fill(settings, tmp_path, seed, days)
    before, log = contents(settings), lake.read(settings)
    result = upkeep.compact(settings)
    assert contents(settings) == before
    after = lake.read(settings)
    assert (after.news, after.last, after.received) == (log.news, log.last + 1, log.received)
    assert after.deliveries() == log.deliveries()
    assert len(after.current) == len(log.current) - result.replaced + result.made
    months = {path: month_of(settings, path) for path in {*log.current, *after.current}}
    for feed in {*after.current.values()}:
        over = [months[path] for path in after.files(feed) if months[path] < "2026-07"]
        assert len(over) == len(set(over)), feed
    running = {path for path in log.current if months[path] == "2026-07"}
    assert running, "the month that is not over keeps its files"
    assert running <= set(after.current)
    assert upkeep.compact(settings).made == 0, "there is nothing left to do"
    assert contents(settings) == before


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory, company: Settings) -> Settings:
    """A lake of two months that are over and one that is not, never compacted."""
    root = tmp_path_factory.mktemp("filled")
    settings = replace(company, home=root / "home")
    fill(settings, root, 3, ["2026-05-04", "2026-05-11", "2026-06-08", "2026-06-09", "2026-07-01"])
    return settings


@pytest.fixture
def many(filled: Settings, tmp_path: Path) -> Settings:
    """A copy of it to work on."""
    settings = replace(filled, home=tmp_path / "home")
    shutil.copytree(filled.home, settings.home)
    return settings


def test_the_month_of_the_receipt_decides_and_late_files_are_merged_the_next_time(
    many: Settings, tmp_path: Path
) -> None:
    settings = many
    assert len(lake.read(settings).files("sales")) == 5
    first = upkeep.compact(settings)
    assert len(lake.read(settings).files("sales")) == 3
    late = states.write(tmp_path / "late", {"sales": ["L1,1,invoice,D1,P1,1,5.00,1,2026-04-30,"]})
    states.deliver(settings, dt.date(2026, 5, 12), late)
    before = contents(settings)
    second = upkeep.compact(settings)
    assert second.made == 1
    assert len(lake.read(settings).files("sales")) == 3
    assert contents(settings) == before
    assert second.deleted == first.replaced, "what the first replaced; what this one replaced stays"
    assert lake.stray_files(settings, lake.read(settings)) == []
    assert [one.ok for one in upkeep.examine(settings) if one.name == "lake"] == [True]


def test_ingesting_goes_on_as_if_nothing_had_been_merged(many: Settings, tmp_path: Path) -> None:
    settings = many
    plain = replace(settings, home=tmp_path / "plain")
    shutil.copytree(settings.home, plain.home)
    upkeep.compact(settings)
    again = states.first_delivery() | {
        "sales": [*states.first_delivery()["sales"][:5], "N99,1,invoice,D1,P1,1,5.00,1,2026-04-30,"]
    }
    results = []
    for home in (settings, plain):
        drop = states.write(tmp_path / f"again-{home.home.name}", again)
        result = ingest.run(home, "mini", dt.date(2026, 7, 9), drop, ingested_at=dt.datetime(2026, 7, 9, 6))
        results.append([(one.file, one.status, one.accepted, one.duplicate) for one in result.files])
    assert results[0] == results[1]
    assert ("sales.csv", "accepted", 1, 5) in results[0], "five lines are known, from merged files too"
    for feed in FEEDS:
        run_id = list(load_contracts(settings)[feed].lake_columns).index("_run_id")
        with_merge, without = (
            [row[:run_id] + row[run_id + 1 :] for row in winners(home, feed)] for home in (settings, plain)
        )
        assert with_merge == without


def test_only_new_rows_are_new_after_a_compaction(settings: Settings, tmp_path: Path) -> None:
    fill(settings, tmp_path, 4, ["2026-05-04", "2026-05-11"])
    base = lake.read(settings)
    new = states.write(tmp_path / "new", {"sales": ["X1,1,invoice,D1,P1,1,5.00,1,2026-04-30,"]})
    states.deliver(settings, dt.date(2026, 5, 12), new)
    states.deliver(
        settings, dt.date(2026, 6, 1), states.write(tmp_path / "june", {"dealers": ["D9,2026-01-01,九,East,上海"]})
    )
    upkeep.compact(settings)
    log = lake.read(settings)
    part = log.after(base.last)
    assert len(part.files("sales")) == 1
    assert part.files("products") == [], "merged too, but no new row is in it"
    assert log.after(log.news).current == {}, "to whom holds all rows, a compaction brings nothing"
    runs = {commit["run_id"] for commit in part.commits}
    sales = lake.rows_sql(load_contracts(settings)["sales"], part.paths(settings, "sales"))
    found = duckdb.sql(f"select transaction_id, _run_id from ({sales})").fetchall()
    assert {name for name, run_id in found if run_id in runs} == {"X1"}


def test_a_rebuild_repeats_it(many: Settings, tmp_path: Path) -> None:
    settings = many
    upkeep.compact(settings)
    late = states.write(tmp_path / "late", {"sales": ["L1,1,invoice,D1,P1,1,5.00,1,2026-04-30,"]})
    states.deliver(settings, dt.date(2026, 5, 12), late)
    upkeep.compact(settings)
    before, log = contents(settings), lake.read(settings)
    shutil.rmtree(settings.lake)
    upkeep.rebuild(settings)
    assert contents(settings) == before
    assert lake.read(settings).commits == log.commits
    assert {path.relative_to(settings.lake).as_posix() for path in settings.lake.rglob("*.parquet")} == set(log.current)
    assert upkeep.compact(settings).deleted == 0


def test_a_merge_that_loses_a_row_is_not_committed(many: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = many
    before, log = contents(settings), lake.read(settings)
    measure = _measure

    def short(con: duckdb.DuckDBPyConnection, relation: str) -> tuple[list[tuple[str, str]], int, int]:
        columns, rows, total = measure(con, relation)
        return columns, rows - ("union_by_name" not in relation), total

    monkeypatch.setattr(compaction, "_measure", short)
    with pytest.raises(BalanceError, match="nothing was committed"):
        upkeep.compact(settings)
    assert lake.read(settings).commits == log.commits
    assert contents(settings) == before
    assert lake.stray_files(settings, log) == []


def test_a_lost_file_is_said_and_nothing_is_merged(many: Settings) -> None:
    settings = many
    next((settings.lake / "sales").iterdir()).unlink()
    with pytest.raises(DataError, match="1 lake files that the log names are gone"):
        upkeep.compact(settings)


def test_the_command(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DEALERMART_HOME", str(settings.home))
    monkeypatch.setenv("DEALERMART_CONFIG", str(settings.config))
    assert main(["compact"]) == 0
    assert "nothing to merge" in capsys.readouterr().out
    days = [dt.date(2026, 5, 4), dt.date(2026, 5, 5), dt.date(2026, 6, 1)]
    for number, day in enumerate(days):
        states.deliver(
            settings, day, states.write(tmp_path / f"{number}", {"dealers": [f"D{number},2026-01-01,甲,East,上海"]})
        )
    assert main(["compact"]) == 0
    assert capsys.readouterr().out.startswith("2 lake files became 1, with the same 2 rows\n0 files that")
    assert main(["compact"]) == 0
    assert "2 files that an earlier compaction replaced were deleted" in capsys.readouterr().out


# The process dies at the beginning of the n-th call of a function of the compaction, or at its end for -n.
KILL = """
import os, signal, sys
from pathlib import Path
from dealermart import lake, upkeep
from dealermart.base import load_settings
from dealermart.upkeep import compaction
target, number = sys.argv[1], int(sys.argv[2])
holders = {"sync": compaction, "commit": lake, "_delete_replaced": compaction, "unlink": Path}
calls = 0
real = getattr(holders[target], target)
def dying(*args, **more):
    global calls
    calls += 1
    if calls == number:
        os.kill(os.getpid(), signal.SIGKILL)
    found = real(*args, **more)
    if calls == -number:
        os.kill(os.getpid(), signal.SIGKILL)
    return found
setattr(holders[target], target, dying)
upkeep.compact(load_settings())
"""


@pytest.fixture(scope="module")
def halfway(tmp_path_factory: pytest.TempPathFactory, company: Settings) -> Settings:
    """A lake that was compacted once, so that there are replaced files to delete, and has files to merge again."""
    root = tmp_path_factory.mktemp("halfway")
    settings = replace(company, home=root / "home")
    fill(settings, root, 9, ["2026-05-04", "2026-05-11", "2026-06-08"])
    upkeep.compact(settings)
    for number, day in enumerate(["2026-05-12", "2026-07-01"]):
        files = {
            "sales": [f"L{number},1,invoice,D1,P1,1,5.00,1,2026-04-30,"],
            "dealers": [f"D{number},{day},甲,East,上海"],
        }
        states.deliver(settings, dt.date.fromisoformat(day), states.write(root / day, files))
    return settings


@pytest.mark.parametrize(
    ("target", "number", "committed"),
    [
        pytest.param("sync", 1, False, id="first file written"),
        pytest.param("sync", 3, False, id="second file written"),
        pytest.param("commit", 1, False, id="before the commit"),
        pytest.param("unlink", 2, True, id="in the commit, its draft still there"),
        pytest.param("commit", -1, True, id="after the commit"),
        pytest.param("unlink", -4, True, id="after two old files were deleted"),
        pytest.param("_delete_replaced", -1, True, id="after all"),
    ],
)
def test_a_kill_at_any_moment_leaves_the_old_or_the_new_state_whole(
    halfway: Settings, tmp_path: Path, target: str, number: int, committed: bool
) -> None:
    settings = replace(halfway, home=tmp_path / "home")
    shutil.copytree(halfway.home, settings.home)
    before, log = contents(settings), lake.read(settings)
    env = child_environment(DEALERMART_HOME=str(settings.home), DEALERMART_CONFIG=str(settings.config))
    done = subprocess.run([sys.executable, "-c", KILL, target, str(number)], env=env, capture_output=True, check=False)
    assert done.returncode == -9, done.stderr.decode()
    after = lake.read(settings)
    assert (after.last > log.last) == committed
    assert lake.missing_files(settings, after) == []
    assert contents(settings) == before
    old = [path for path in log.replaced if (settings.lake / path).exists()]
    assert len(log.replaced) - len(old) == {-4: 2}.get(number, len(log.replaced) if "replaced" in target else 0)
    upkeep.compact(settings)
    upkeep.compact(settings)
    assert contents(settings) == before
    left = {path.relative_to(settings.lake).as_posix() for path in settings.lake.rglob("*.parquet")}
    assert left == set(lake.read(settings).current)
