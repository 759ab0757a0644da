"""The pipeline of the sample company is the same whether its CRM comes as files, from Zoho or from Fxiaoke."""

from __future__ import annotations

import csv
import datetime as dt
import json
import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest
from tests import small
from tests.crm_sim import Clock, Fxiaoke, Zoho
from tests.crm_sim.sample import Version, load, moved, moved_id, read, stages

import sample_company
from dealermart import ingest, warehouse
from dealermart.base import REPO, Settings
from dealermart.config import load_contracts, load_profile

from .conftest import Source, entry_of, small_config

FEEDS = ("dealers", "team_members", "id_links", "fx_rates", "service_cases")
CRM = ("crm_accounts", "crm_opportunities", "crm_stage_changes", "crm_activities")
MODELS = ("mart_kpi__pipeline_day", "fct_opportunity", "fct_activity", "dim_account", "int_measure__pipeline")
MASTERS = ("master/dealers_*", "master/id_links_*", "hr/team_*", "finance/fx_*")
# What is compared: without ids and names of a system, and without what is about the run.
FIGURES = {
    "mart_kpi__pipeline_day": "*",
    "int_measure__pipeline": "measure_code, member_id, dealer_id, team, region, product_category, fiscal_month_start, value",
    "fct_opportunity": "member_id, dealer_id, stage, status, product_category, amount, currency_code, opened_date, closed_date, transaction_id",
    "fct_activity": "kind, member_id, occurred_at",
    "dim_account": "dealer_id, member_id, account_name, is_current",
}


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample")
    sample_company.make(1, "S", folder)
    return folder


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The models of the pipeline, with the suites as they are."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(small, "RULES", {feed: rules_of(feed) for feed in (*FEEDS, *CRM)})
        return small.project(tmp_path_factory.mktemp("pipeline") / "project", MODELS)


def rules_of(feed: str) -> tuple[str, ...]:
    """All rules of a suite."""
    suite = json.loads((REPO / "expectations" / f"{feed}.json").read_text("utf-8"))
    return tuple(rule["meta"]["rule"] for rule in suite["expectations"])


def days(sample: Path) -> list[dt.date]:
    return sorted(dt.date.fromisoformat(path.name) for path in sample.iterdir() if path.is_dir())


def take(
    settings: Settings, sample: Path, day: dt.date, patterns: tuple[str, ...], into: Path, links: Path | None
) -> None:
    """Ingest some of the sample's files of a day."""
    for pattern in patterns:
        for path in (sample / day.isoformat()).glob(pattern):
            target = into / path.relative_to(sample / day.isoformat())
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)
    if links:
        (into / "master").mkdir(parents=True, exist_ok=True)
        shutil.copy(links, into / "master" / f"id_links_{day}_more.csv")
    if into.exists():
        ingest.run(settings, "sample", day, into, ingested_at=dt.datetime.combine(day, dt.time(20)))


def links_of(sample: Path, system: str, into: Path) -> Path:
    """Who people and dealers of the other system are in this one."""
    found = [
        row
        for path in sample.glob("*/master/id_links_*.csv")
        for row in csv.reader(path.read_text("utf-8").splitlines())
    ]
    rows = [
        [system, kind, moved_id(of, code, system), ours]
        for of, kind, code, ours in found
        if of in ("zoho", "fxiaoke") and of != system and ours
    ]
    into.write_text("\n".join(",".join(row) for row in [["System", "Kind", "External ID", "Our ID"], *rows]), "utf-8")
    return into


def pulled(settings: Settings, sim: Any, name: str) -> Source:
    profile = load_profile(settings, name, load_contracts(settings))
    return Source(settings, sim, profile, entry_of(sim, "legacy"), "id" if name == "zoho" else "_id")


def made(folder: Path, sample: Path, pipeline: Path, way: str) -> dict[str, list[tuple[Any, ...]]]:
    """The figures, where the CRM's data come in this way: as files, from both systems, or all from one of them."""
    config = small_config(folder / "config", (*FEEDS, *CRM))
    settings = Settings(home=folder / "home", config=config, project=pipeline, threads=1)
    versions: list[Version] = read(sample)
    if way in ("zoho", "fxiaoke"):
        versions = moved(versions, way)
    if way == "fxiaoke":  # it says of every record when it was entered; some of Zoho's do not
        versions = [_entered(version, versions) for version in versions]
    links = links_of(sample, way, folder / "links.csv") if way in ("zoho", "fxiaoke") else None
    first = days(sample)[0]
    clock = Clock(dt.datetime.combine(first, dt.time(1), dt.UTC), ticking=False)
    with Zoho(clock=clock) as zoho, Fxiaoke(clock=clock) as fxiaoke:
        stages(zoho, versions)
        crms = [pulled(settings, zoho, "zoho"), pulled(settings, fxiaoke, "fxiaoke")]
        for day in days(sample):
            files = ("zoho/*", "fxiaoke/*") if way == "files" else ()
            take(settings, sample, day, (*MASTERS, *files), folder / f"drop{day}", links if day == first else None)
            if way == "files":
                continue
            clock.set(dt.datetime.combine(day, dt.time(15), dt.UTC))
            load(zoho, fxiaoke, [version for version in versions if version.received == day])
            for one in crms:
                one.pull(day, land=False)
                at = dt.datetime.combine(day, dt.time(21))
                ingest.run(settings, one.profile.source, day, ingested_at=at).raise_for_refused()
    warehouse.run(settings, period="2026-M09")
    with duckdb.connect(str(settings.warehouse), read_only=True) as con:
        return {
            table: con.execute(f"select {what} from {_of(con, table)} order by all").fetchall()
            for table, what in FIGURES.items()
        }


def _entered(version: Version, versions: list[Version]) -> Version:
    """A deal that does not say when it was entered, with the moment that the models take for it: its first stage."""
    if version.kind != "deal" or version.values["created"] is not None:
        return version
    first = min(v.values["at"] for v in versions if v.kind == "change" and v.values["deal"] == version.id)
    return replace(version, values={**version.values, "created": first})


def _of(con: duckdb.DuckDBPyConnection, table: str) -> str:
    return con.execute(
        "select table_schema || '.' || table_name from information_schema.tables where table_name = ?", [table]
    ).fetchall()[0][0]


@pytest.fixture(scope="module")
def from_files(tmp_path_factory: pytest.TempPathFactory, sample: Path, pipeline: Path) -> dict[str, Any]:
    return made(tmp_path_factory.mktemp("files"), sample, pipeline, "files")


def kindless(rows: list[tuple[Any, ...]], way: str, table: str) -> list[tuple[Any, ...]]:
    """Fxiaoke's visits and talks that moved to Zoho's module of calls are calls there."""
    return sorted((row[1:] for row in rows), key=str) if (way, table) == ("zoho", "fct_activity") else rows


def _unsaid(versions: list[Version]) -> int:
    """Deals of which nobody knows when they were entered: Zoho does not say, and a stage came before the first change."""
    changes: dict[str, list[Version]] = {}
    for version in versions:
        if version.kind == "change":
            changes.setdefault(version.values["deal"], []).append(version)
    deals = {version.id for version in versions if version.kind == "deal" and version.values["created"] is None}
    return sum(min(changes[deal], key=lambda one: one.values["at"]).values["from"] is not None for deal in deals)


def _only_entries_differ(was: list[tuple[Any, ...]], now: list[tuple[Any, ...]], unsaid: int) -> None:
    """Fxiaoke says of these deals when they were entered: they are new on a day, and have a cycle once won."""
    more, less = Counter(now) - Counter(was), Counter(was) - Counter(now)
    assert Counter(row[0] for row in more.elements())["opportunity_created"] == unsaid > 0
    assert {row[0] for row in more} <= {"opportunity_created", "opportunity_cycle_days"}
    assert {(row[0], row[-1]) for row in less} <= {("opportunity_cycle_days", None)}
    assert more.total() - less.total() == unsaid


@pytest.mark.integration
@pytest.mark.parametrize("way", ["both", "zoho", "fxiaoke"])
def test_the_pipeline_is_the_same(
    tmp_path: Path, sample: Path, pipeline: Path, from_files: dict[str, Any], way: str
) -> None:
    figures = made(tmp_path, sample, pipeline, way)
    if way == "fxiaoke":
        measured = figures["int_measure__pipeline"]
        _only_entries_differ(from_files["int_measure__pipeline"], measured, _unsaid(read(sample)))
        from_files = from_files | {"int_measure__pipeline": measured}
    assert {table: len(rows) for table, rows in figures.items()} == {
        table: len(rows) for table, rows in from_files.items()
    }
    for table in FIGURES:
        assert kindless(figures[table], way, table) == kindless(from_files[table], way, table), table
    assert len(figures["mart_kpi__pipeline_day"]) > 1000
