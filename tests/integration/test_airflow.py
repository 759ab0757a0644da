"""A row's whole way on the real scheduler: files into the inbox, runs by the REST API, figures out of the served copy."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
import psutil
import pytest
from tests import small
from tests.conftest import write_config
from tests.limits import HANGS

from dealermart.base import REPO, Settings, read_runs
from dealermart.demo import Standalone
from dealermart.demo.api import DagRun
from dealermart.demo.demo import table

# One start of Airflow serves all tests of this file, in their order.
pytestmark = pytest.mark.integration
LONG = HANGS["integration"] / 2  # a run that hangs is told apart from the others before the test itself ends

SALES = "doc,line,kind,dealer,product,qty,net,cost,day,seller\n"
MASTERS = {
    "dealers.csv": "dealer,since,name,region,city\nD1,2026-01-01,甲,East,上海\nD2,2026-01-01,乙,West,成都\n",
    "members.csv": "member,since,name,role,team,manager\nM1,2026-01-01,Li,sales,T1,\n",
    "assignments.csv": "dealer,member,role,since,share\nD1,M1,owner,2026-01-01,100\nD2,M1,owner,2026-01-01,100\n",
    "products.csv": "product,since,name,category\nP1,2026-01-01,Tent,Shelter\n",
    "targets.csv": "target,member,first_day,end_day,value\nT1,M1,2026-02-01,2026-03-01,2000\n",
}
SECOND = SALES + "A1,1,invoice,D1,P1,2,1000.00,600.00,2026-02-10,\nA2,1,invoice,D2,P1,1,250.50,100.00,2026-02-11,\n"
# A correction of A1, a return, and a row that no check lets through: an invoice without a dealer.
THIRD = (
    SALES
    + "A1,1,invoice,D1,P1,2,900.00,600.00,2026-02-10,\n"
    + "A3,1,return,D2,P1,-1,-50.25,-20.00,2026-02-20,\n"
    + "A4,1,invoice,,P1,1,777.00,1.00,2026-02-21,\n"
)
FOURTH = SALES + "A5,1,invoice,D1,P1,1,10.00,5.00,2026-02-25,\n"


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The test company and the marts that are looked at; the test source stands in the place of ``ingest_sample``."""
    root = tmp_path_factory.mktemp("airflow")
    config = write_config(root / "config")
    (config / "sources" / "mini").rename(config / "sources" / "sample")
    profile = config / "sources" / "sample" / "source.yml"
    text = profile.read_text("utf-8")
    profile.write_text(text.replace("source: mini", "source: sample"), "utf-8")
    other = shutil.copytree(profile.parent, config / "sources" / "adventureworks") / "source.yml"
    other.write_text(text.replace("source: mini", "source: adventureworks"), "utf-8")
    project = small.project(root / "project", ("mart_kpi__subject_period", "mart_kpi__target_window"))
    return Settings(home=root / "home", config=config, project=project, user="tester")


@pytest.fixture(scope="module")
def airflow(settings: Settings) -> Iterator[Standalone]:
    """The real DAGs; its tasks find the project of the settings by the environment that the scheduler hands on."""
    expected = ["ingest_sample", "arrivals", "build_marts", "publish"]
    with Standalone(settings, REPO / "dags", expected=expected, start_seconds=LONG) as running:
        running.unpause("build_marts", "publish", "ingest_sample")
        yield running


def drop(settings: Settings, received: str, **files: str) -> None:
    """Put files into the inbox, left alone for long enough to be due at once."""
    folder = settings.inbox / "sample" / received
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        path = folder / f"{name}.csv"
        path.write_text(text, "utf-8")
        os.utime(path, (1_000_000_000, 1_000_000_000))


def served(settings: Settings, sql: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(settings.published / "bi" / "dealermart.duckdb"), read_only=True) as con:
        return con.execute(sql).fetchall()


def company_revenue(settings: Settings, period: str) -> object:
    ((value,),) = served(
        settings,
        f"""
        select value from mart_kpi__subject_period
        where subject_type = 'company' and kpi_code = 'net_revenue' and period_id = '{period}'
        """,
    )
    return value


@pytest.fixture(scope="module")
def first_wave(settings: Settings, airflow: Standalone) -> dict[str, DagRun]:
    """Two good dates, one with a file that is refused, and a run that names no date: by what they stand for."""
    drop(settings, "2026-03-02", sales=SECOND, **{Path(name).stem: text for name, text in MASTERS.items()})
    drop(settings, "2026-03-03", sales=THIRD)
    drop(settings, "2026-03-04", sales=FOURTH, sales_b="doc,line\nX,1\n")
    started = {
        "masters": airflow.trigger("ingest_sample", "2026-03-02"),
        "corrections": airflow.trigger("ingest_sample", "2026-03-03"),
        "refused": airflow.trigger("ingest_sample", conf={"received": "2026-03-04"}),
        "dateless": airflow.trigger("ingest_sample"),
    }
    runs = airflow.wait(LONG, on_failure="go on")
    named = {name: run for name, run_id in started.items() for run in runs if run.run_id == run_id}
    return named | {run.dag_id: run for run in runs if not run.dag_id.startswith("ingest_")}


def test_files_dropped_come_out_as_figures(settings: Settings, first_wave: dict[str, DagRun]) -> None:
    ended_well = ("masters", "corrections", "build_marts", "publish")
    assert {first_wave[name].state for name in ended_well} == {"success"}
    assert served(settings, "select transaction_id, net_amount from fct_sale_line order by 1") == [
        ("A1", Decimal("900.0000")),
        ("A2", Decimal("250.5000")),
        ("A3", Decimal("-50.2500")),
        ("A5", Decimal("10.0000")),
    ]
    assert company_revenue(settings, "2026-M02") == Decimal("1110.25")  # 900.00 + 250.50 - 50.25 + 10.00
    # 1,110.25 of the 2,000 that were the target: the one seller owns both dealers.
    assert served(settings, "select target_value, actual_value, attainment from mart_kpi__target_window") == [
        (Decimal(2000), Decimal("1110.25"), Decimal("0.555125"))
    ]


def test_a_refused_file_is_red_and_the_others_go_through(airflow: Standalone, first_wave: dict[str, DagRun]) -> None:
    run = first_wave["refused"]
    assert run.state == "failed"
    states = {task["task_id"]: task["state"] for task in airflow.tasks(run)}
    assert (states["ingest"], states["verdict"]) == ("success", "failed")
    assert "sales_b.csv" in airflow.failure(run)


def test_a_run_without_a_date_fails_at_once_and_says_both_ways(
    airflow: Standalone, first_wave: dict[str, DagRun]
) -> None:
    run = first_wave["dateless"]
    assert run.state == "failed"
    assert [task["try_number"] for task in airflow.tasks(run) if task["task_id"] == "ingest"] == [1]
    why = airflow.failure(run)
    assert "partition key" in why
    assert '{"received": "2026-03-02"}' in why


@pytest.mark.parametrize(
    ("last", "news_on"),
    [
        pytest.param(8, ("02", "03", "07", "08"), id="over eight days"),
        pytest.param(31, ("05", "06", "19", "31"), id="over a month", marks=pytest.mark.soak),
    ],
)
@pytest.mark.usefixtures("first_wave")
def test_a_backfill_starts_few_builds(
    settings: Settings, airflow: Standalone, last: int, news_on: tuple[str, ...]
) -> None:
    news = list(zip(news_on, ("1.00", "2.00", "4.00", "8.00"), strict=True))
    for day, net in news:
        drop(settings, f"2026-01-{day}", sales=SALES + f"J{day},1,invoice,D1,P1,1,{net},1.00,2026-01-04,\n")
    before = {run.run_id for run in airflow.runs()}
    builds_before = [entry for entry in read_runs(settings) if entry["command"] == "build"]
    body = {
        "dag_id": "ingest_sample",
        "from_date": "2026-01-01T00:00:00Z",
        "to_date": f"2026-01-{last:02}T00:00:00Z",
        "max_active_runs": 1,  # a backfill does not heed the DAG's own limit, which keeps the order of receipt
        "reprocess_behavior": "completed",
    }
    airflow._call("POST", "/backfills", json=body)
    new = [run for run in airflow.wait(LONG, on_failure="go on") if run.run_id not in before]
    assert {run.state for run in new} == {"success"}
    days = [date(2026, 1, 1) + timedelta(days=count) for count in range(last)]
    ingests = [run for run in new if run.kind == "backfill"]  # the real schedule may start one of its own
    assert sorted(str(run.partition) for run in ingests) == [day.isoformat() for day in days]
    in_order = sorted(ingests, key=lambda run: str(run.started_at))
    assert [run.partition for run in in_order] == [day.isoformat() for day in days], "in the order of receipt"
    # Four dates bring news. Starts that wait are merged, so there are fewer builds than that; how many is a matter of time.
    assert len([run for run in new if run.dag_id == "build_marts"]) <= 3
    builds = [entry for entry in read_runs(settings) if entry["command"] == "build"][len(builds_before) :]
    built = [entry["run_id"] for entry in builds if not entry.get("skipped")]
    assert built, "what came is in the marts because of a build"
    assert len(built) < len(news)
    assert company_revenue(settings, "2026-M01") == Decimal(15)  # 1 + 2 + 4 + 8
    assert company_revenue(settings, "2026-M02") == Decimal("1110.25"), "as before"


def test_the_closing_table_counts_what_was_delivered(settings: Settings, airflow: Standalone) -> None:
    shown = {line[:28].strip(): line[28:].split()[0] for line in table(settings, 100, 20)}
    # Five master files; sales on two dates, on one beside the refused file, and on four of the backfill.
    assert (shown["files read"], shown["taken"], shown["refused"]) == ("13", "12", "1")
    # 2 dealers, 1 member, 2 assignments, 1 product, 1 target; sales 2 + 3 + 1 + 4.
    assert (shown["rows read"], shown["accepted"], shown["quarantined by a check"]) == ("17", "16", "1")


def test_a_file_that_arrives_is_taken_without_being_asked_for(settings: Settings, airflow: Standalone) -> None:
    """After the table above, which counts what was delivered: the first look takes what lies there once more."""
    airflow.unpause("arrivals")
    while not (looked := airflow.runs("arrivals")) or not all(run.done for run in looked):
        time.sleep(0.5)
    airflow.wait(LONG, on_failure="go on")
    before = {run.run_id for run in airflow.runs()}
    drop(settings, "2026-03-09", sales=SALES + "A9,1,invoice,D1,P1,1,89.75,5.00,2026-02-26,\n")
    while not any(run.run_id.startswith("arrival__2026-03-09__") for run in airflow.runs("ingest_sample")):
        time.sleep(0.5)
    new = [run for run in airflow.wait(LONG, on_failure="go on") if run.run_id not in before]
    assert {run.state for run in new} == {"success"}
    assert "asset_triggered" in {run.kind for run in new if run.dag_id == "arrivals"}, "the watcher, not the clock"
    assert len([run for run in new if run.dag_id == "ingest_sample"]) == 1
    assert len([run for run in new if run.dag_id == "build_marts"]) == 1
    assert company_revenue(settings, "2026-M02") == Decimal(1200)  # 1,110.25 + 89.75


def test_nothing_is_left_running(airflow: Standalone) -> None:
    """Last in this file: it ends the Airflow that the others used."""
    process = airflow._process
    assert process is not None
    session = process.pid
    airflow.stop()
    left = []
    for pid in psutil.pids():
        with suppress(OSError, psutil.Error):
            if os.getsid(pid) == session and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
                left.append(pid)
    assert left == []
    airflow.stop()  # a second time is harmless
