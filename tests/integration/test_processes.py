"""Real processes at the same time: each waits for its turn and says so, ends with 0, and nothing is lost or doubled."""

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
from tests.warm import Command

from dealermart import lake, publish, upkeep, warehouse
from dealermart.base import Settings
from dealermart.config import load_contracts

from . import states

pytestmark = pytest.mark.integration

HOLD = """
import sys
from pathlib import Path
from dealermart.base import Settings, warehouse_lock
with warehouse_lock(Settings(home=Path(sys.argv[1]), user="anna"), "build"):
    print("held", flush=True)
    sys.stdin.read()
"""


def end(*processes: Command) -> list[str]:
    """What each wrote to stderr; all of them ended with 0."""
    codes, said = [process.wait() for process in processes], [process.said for process in processes]
    assert codes == [0] * len(processes), said
    return said


def ingest(source: str, day: str, drop: Path) -> list[str]:
    return ["ingest", "--source", source, "--received", day, "--drop", str(drop)]


def documents(settings: Settings) -> list[tuple[str, int]]:
    """Document and line of every sales row of the lake."""
    sales = load_contracts(settings)["sales"]
    sql = lake.rows_sql(sales, lake.read(settings).paths(settings, "sales"))
    return duckdb.sql(f"select transaction_id, line_no from ({sql}) order by all").fetchall()


def sales(folder: Path, prefix: str, count: int) -> Path:
    rows = [f"{prefix}{number:05d},1,invoice,D1,P1,1,{number}.25,1,2026-03-01," for number in range(count)]
    return states.write(folder, {"sales": rows})


def test_two_sources_at_once_are_both_taken(settings: Settings, tmp_path: Path) -> None:
    other = settings.sources / "other"
    shutil.copytree(settings.sources / "mini", other)
    profile = other / "source.yml"
    profile.write_text(profile.read_text("utf-8").replace("source: mini", "source: other"), "utf-8")
    one, two = sales(tmp_path / "one", "A", 500), sales(tmp_path / "two", "B", 500)
    end(Command(settings, *ingest("mini", "2026-03-02", one)), Command(settings, *ingest("other", "2026-03-02", two)))
    assert documents(settings) == [(f"{prefix}{number:05d}", 1) for prefix in "AB" for number in range(500)]
    log = lake.read(settings)
    assert sorted((one["source"], one["accepted"]) for one in log.deliveries()) == [("mini", 500), ("other", 500)]
    assert len(list((settings.home / "reports").glob("*/index.html"))) == 2


def test_the_same_date_of_a_source_twice_at_once_is_taken_once(settings: Settings, tmp_path: Path) -> None:
    drop = sales(tmp_path / "drop", "A", 500)
    end(*[Command(settings, *ingest("mini", "2026-03-02", drop)) for _ in range(3)])
    assert documents(settings) == [(f"A{number:05d}", 1) for number in range(500)]
    assert [one["status"] for one in lake.read(settings).deliveries()] == ["accepted"], "what came again adds no commit"


def test_who_waits_says_for_whom_and_goes_on_when_the_other_has_ended(settings: Settings, tmp_path: Path) -> None:
    settings.home.mkdir()
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(settings.home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    waiting = Command(settings, *ingest("mini", "2026-03-02", sales(tmp_path / "drop", "A", 5)))
    assert waiting.first_line() == f"waiting for build of anna (process {holder.pid}), 3600 seconds at most"
    assert documents(settings) == []
    holder.communicate()
    assert "error" not in end(waiting)[0]
    assert len(documents(settings)) == 5


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory, company: Settings) -> tuple[Settings, list[Path]]:
    """A home with two months of receipts, built and published, and the drops of later dates."""
    root = tmp_path_factory.mktemp("processes")
    settings = replace(company, home=root / "home")
    rng = random.Random("processes")
    drops = [states.write(root / f"drop{number}", states.corrections(rng)) for number in range(4)]
    first = states.write(root / "first", states.first_delivery())
    for day, drop in (("2026-05-04", first), ("2026-05-11", drops[0]), ("2026-06-08", drops[1])):
        states.deliver(settings, dt.date.fromisoformat(day), drop)
    states.built(settings)
    publish.run(settings)
    return settings, drops[2:]


@pytest.fixture
def built(ready: tuple[Settings, list[Path]], tmp_path: Path) -> tuple[Settings, list[Path]]:
    """A copy of it to work on."""
    settings = replace(ready[0], home=tmp_path / "home")
    shutil.copytree(ready[0].home, settings.home, symlinks=True)
    return settings, ready[1]


def test_ingest_build_publish_and_compaction_at_once(built: tuple[Settings, list[Path]], tmp_path: Path) -> None:
    settings, drops = built
    plain = replace(settings, home=tmp_path / "plain")
    shutil.copytree(settings.home, plain.home, symlinks=True)
    for day, drop in zip(("2026-06-09", "2026-06-10"), drops, strict=True):
        states.deliver(plain, dt.date.fromisoformat(day), drop)
    expected = states.built(plain)

    end(
        Command(settings, "build", "--period", states.PERIOD, "--full"),
        Command(settings, *ingest("mini", "2026-06-09", drops[0])),
        Command(settings, "compact"),
        Command(settings, "publish"),
        Command(settings, *ingest("mini", "2026-06-10", drops[1])),
    )
    assert any(commit["kind"] == lake.COMPACT for commit in lake.read(settings).commits)
    assert states.built(settings) == expected
    publish.run(settings)
    served = states.served(settings)
    assert served == {name: expected[name] for name in served}


def test_a_compaction_is_nothing_new_to_builds_and_rebuilds(built: tuple[Settings, list[Path]], tmp_path: Path) -> None:
    settings, _ = built
    assert upkeep.compact(settings).made > 0
    assert not warehouse.pending(settings)
    assert warehouse.run(settings, period=states.PERIOD).skipped
    for day in ("2026-06-09", "2026-06-10", "2026-07-01"):
        drop = states.write(tmp_path / day, {"sales": [f"X{day},1,invoice,D1,P1,1,5.00,1,2026-04-30,"]})
        states.deliver(settings, dt.date.fromisoformat(day), drop)
        if day == "2026-06-09":
            assert warehouse.run(settings, period=states.PERIOD).months == 1, "what was merged before is not new"
    plain = replace(settings, home=tmp_path / "plain")
    shutil.copytree(settings.home, plain.home, symlinks=True)
    assert upkeep.compact(settings).made > 0, "new files of June are merged before a build has seen them"
    assert warehouse.pending(settings)
    result, expected = warehouse.run(settings, period=states.PERIOD), warehouse.run(plain, period=states.PERIOD)
    assert not result.full
    assert result.months == expected.months == 1, "April; no other month has a new line"
    assert result.warehouse is not None and expected.warehouse is not None
    marts = states.marts(result.warehouse)
    assert marts == states.marts(expected.warehouse)

    assert upkeep.compact(settings).deleted > 0
    upkeep.compact(settings)
    con = duckdb.connect(str(settings.warehouse), read_only=True)
    views = con.execute("select view_name from duckdb_views() where schema_name = 'lake'").fetchall()
    assert len(views) > 5
    for (name,) in views:
        con.execute(f"select count(*) from lake.{name}").fetchall()
    con.close()

    upkeep.rebuild(settings)
    assert states.built(settings) == marts


def test_replaced_files_stay_while_another_program_reads_the_warehouse(
    built: tuple[Settings, list[Path]],
) -> None:
    settings, _ = built
    first = upkeep.compact(settings)
    reader = subprocess.Popen(
        [sys.executable, "-c", "import duckdb, sys; c = duckdb.connect(sys.argv[1], read_only=True); print('open', flush=True); sys.stdin.read()", str(settings.warehouse)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert reader.stdout is not None
    assert reader.stdout.readline() == "open\n"
    said: list[str] = []
    assert upkeep.compact(settings, say=said.append).deleted == 0
    assert said == ["replaced files stay until the next compaction: another program has the warehouse file open"]
    reader.communicate()
    assert upkeep.compact(settings).deleted == first.replaced
