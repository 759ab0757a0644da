"""Deliveries of every kind in any order, through the real ingest and the real build, against the model."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterable
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any

import duckdb
import pytest
from tests import small
from tests.integration import states

from dealermart import ingest, lake, upkeep, warehouse
from dealermart.base import Settings
from dealermart.config import load_contracts

from .model import File, Held, Key, Kind, deliveries, held
from .things import source

pytestmark = pytest.mark.slow


FAULTS = ("row", "key")
TIMES = (None, "2026-01-05 08:00:00", "2026-01-06 08:00:00")
# Per feed: its kinds of file, its keys, and the columns of key and value in the lake.
FEEDS: dict[str, tuple[list[Kind], list[Key], str]] = {
    "sales": (
        [Kind("things", "sale_file", "append", FAULTS), Kind("things", "void_file", "append", deletes=1)],
        [("A1", "1"), ("A1", "2"), ("A2", "1")],
        "transaction_id, cast(line_no as varchar), substr('abc', cast(net_amount / 10 as integer), 1)",
    ),
    "dealers": (
        [Kind("things", "dealer_list", "snapshot", FAULTS, deletes=0), Kind("things", "dealer_changes", "delta", FAULTS)],
        [("D1", "2026-01-01"), ("D1", "2026-03-04"), ("D2", "2026-01-01"), ("D3", "2026-02-01")],
        "dealer_id, cast(valid_from as varchar), dealer_name",
    ),
    "training_courses": (
        [Kind("things", "course_list", "snapshot", ("row",), deletes=0)],
        [("C1",), ("C2",), ("C3",)],
        "course_id, course_name",
    ),
    "training_records": (
        [Kind("things", "record_file", "delta", ("row",), TIMES)],
        [("R1",), ("R2",), ("R3",)],
        "record_id, substr('abc', cast(score as integer) + 1, 1)",
    ),
}  # fmt: skip
OPEN = dt.date(9999, 12, 31)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small project with the tables that this company's feeds fill."""
    models = (*small.MODELS, "int_current__training_course", "int_current__training_record")
    return small.project(tmp_path_factory.mktemp("shuffles") / "project", models)


@pytest.fixture
def here(settings: Settings) -> Settings:
    source(settings)
    path = settings.sources / "things" / "source.yml"
    # A file with one row of four is no accident in these histories.
    text = path.read_text("utf-8").replace(
        "    delivery: snapshot\n", "    delivery: snapshot\n    shrink_below: 0.01\n"
    )
    path.write_text(text, "utf-8")
    return settings


def history(seed: int, each: int) -> list[File]:
    rng = random.Random(seed)
    return [file for kinds, keys, _ in FEEDS.values() for file in deliveries(rng, kinds, keys, each)]


def load(settings: Settings, files: Iterable[File], rng: random.Random, folder: Path, *, renamed: bool = False) -> None:
    """Ingest files in a random order: runs hold those of one day, in one or two goes.

    Args:
        renamed: Give every file a name of its own, also where it repeats another. Rows show the name they came under.
    """
    ordered = sorted(files, key=lambda one: one.day)
    runs = []
    for day, found in groupby(ordered, key=lambda one: one.day):
        of_day = list(found)
        rng.shuffle(of_day)
        cut = rng.randint(0, len(of_day))
        runs += [(day, part) for part in (of_day[:cut], of_day[cut:]) if part]
    rng.shuffle(runs)
    names = {"sale_file": "sales", "void_file": "voids", "dealer_list": "all_dealers", "dealer_changes": "dealers",
             "course_list": "courses", "record_file": "records"}  # fmt: skip
    for number, (day, part) in enumerate(runs):
        drop = folder / str(number)
        drop.mkdir(parents=True)
        for at, file in enumerate(part):
            own = f"{rng.randint(100, 999)}_{at}" if renamed else file.id
            (drop / f"{names[file.entry]}_{own}.csv").write_text(file.text, "utf-8")
        result = ingest.run(settings, "things", day, drop)
        assert {one.status for one in result.files} <= {"accepted", "duplicate"}, [one.error for one in result.files]


def found(settings: Settings, feed: str) -> dict[Key, tuple[str, dt.date | None]]:
    contract, log = load_contracts(settings)[feed], lake.read(settings)
    sql = lake.current_sql(contract, log.paths(settings, feed), log.told(settings, feed))
    end = "valid_to" if contract.valid_to else "cast(null as date)"
    rows = duckdb.sql(f"select {FEEDS[feed][2]}, {end} from ({sql})").fetchall()
    return {row[:-2]: row[-2:] for row in rows}


def expected(files: list[File], feed: str) -> dict[Key, Held]:
    kinds, *_ = FEEDS[feed]
    result = held([one for one in files if one.entry in {kind.entry for kind in kinds}])
    dated = feed == "dealers"
    return {
        key: one
        for key, one in result.items()
        if one.gone is None or (dated and one.gone > dt.date.fromisoformat(key[1]))
    }


SEEDS = [0, *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(1, 30))]


@pytest.mark.integration  # some twenty ingests
@pytest.mark.parametrize("seed", SEEDS)
def test_any_order_of_ingest_gives_what_the_model_says(here: Settings, tmp_path: Path, seed: int) -> None:
    files, rng = history(seed, 7), random.Random(seed)
    for turn in range(2):
        settings = replace(here, home=tmp_path / f"home{turn}")
        load(settings, files, rng, tmp_path / f"drops{turn}", renamed=True)
        for feed in FEEDS:
            model = {key: (one.row.value, one.gone) for key, one in expected(files, feed).items()}
            assert found(settings, feed) == model, feed
    before = {feed: found(settings, feed) for feed in FEEDS}
    upkeep.rebuild(settings)
    assert {feed: found(settings, feed) for feed in FEEDS} == before


def windows(files: list[File]) -> list[tuple[Any, ...]]:
    """Validity windows of dealers by the model: up to the next row of the dealer, or to the snapshot without it."""
    rows = sorted(expected(files, "dealers").items())
    result = []
    for at, ((code, since), one) in enumerate(rows):
        later = rows[at + 1][0] if at + 1 < len(rows) else ("", "")
        follow = dt.date.fromisoformat(later[1]) if later[0] == code else OPEN
        result.append((code, dt.date.fromisoformat(since), min(one.gone or OPEN, follow), one.row.value))
    return result


def check(settings: Settings, files: list[File], as_of: dt.datetime | None = None) -> dict[str, str]:
    """Build, and hold the warehouse against the model; content hashes of the marts."""
    result = warehouse.run(settings, period="2026-M03", as_of=as_of)
    assert result.warehouse is not None
    con = duckdb.connect(str(result.warehouse), read_only=True)
    try:
        dealers = (
            "select dealer_id, valid_from, valid_to, dealer_name from intermediate.int_history__dealer order by all"
        )
        assert con.execute(dealers).fetchall() == windows(files)
        for feed, table in (
            ("sales", "marts.fct_sale_line"),
            ("training_courses", "intermediate.int_current__training_course"),
            ("training_records", "intermediate.int_current__training_record"),
        ):
            model = sorted((*key, one.row.value) for key, one in expected(files, feed).items())
            assert sorted(con.execute(f"select {FEEDS[feed][2]} from {table}").fetchall()) == model, feed
        assert model and windows(files)
    finally:
        con.close()
    return states.marts(result.warehouse)


@pytest.mark.integration
def test_the_marts_follow_deletions_and_snapshots_month_by_month_in_any_order_and_as_of_before(
    here: Settings, tmp_path: Path
) -> None:
    files, rng = history(327, 8), random.Random(327)  # chosen because it deletes and ends something
    rng.shuffle(files)
    first, rest = files[: len(files) // 2], files[len(files) // 2 :]
    assert set(expected(first, "sales")) - set(expected(files, "sales")), "a line is deleted"
    load(here, first, rng, tmp_path / "first")
    before = check(here, first)
    moment = dt.datetime.fromisoformat(str(lake.read(here).ingested_at))
    load(here, rest, rng, tmp_path / "rest")
    after = check(here, files)
    assert not warehouse.run(here, period="2026-M03").full
    assert check(here, first, as_of=moment) == before, "what was told later is not seen"

    whole = replace(here, home=tmp_path / "whole")
    load(whole, files, rng, tmp_path / "again")
    assert check(whole, files) == after, "neither the order nor the months at a time matter"
