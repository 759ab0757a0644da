"""A row's whole way on the real scheduler: files into the inbox, runs by the REST API, figures out of the served copy."""

from __future__ import annotations

import os
import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import httpx
import psutil
import pytest
from tests import small
from tests.alerts.servers import http_server
from tests.closing import built
from tests.conftest import write_config
from tests.limits import HANGS
from tests.nobody import as_nobody, needs_root, seen_by_nobody, walkable

from dealermart import frozen
from dealermart.base import REPO, Settings, read_runs
from dealermart.demo import Standalone
from dealermart.demo.api import DagRun, log_lines
from dealermart.demo.demo import table
from dealermart.demo.scheduler import _session

# One start of Airflow serves all tests of this file, in their order.
pytestmark = pytest.mark.integration
LONG = HANGS["integration"] / 2  # a run that hangs is told apart from the others before the test itself ends

MONTHLY = ("compact", "retention", "audit_closed")
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
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """The test company and the marts that are looked at; the test source stands in the place of ``ingest_sample``.

    The home lies where every user of this machine finds it.
    """
    root = tmp_path_factory.mktemp("airflow")
    config = write_config(root / "config")
    (config / "sources" / "mini").rename(config / "sources" / "sample")
    profile = config / "sources" / "sample" / "source.yml"
    text = profile.read_text("utf-8")
    profile.write_text(text.replace("source: mini", "source: sample"), "utf-8")
    other = shutil.copytree(profile.parent, config / "sources" / "adventureworks") / "source.yml"
    other.write_text(text.replace("source: mini", "source: adventureworks"), "utf-8")
    project = small.project(root / "project", ("mart_kpi__subject_period", "mart_kpi__target_window"))
    with walkable() as place:
        yield Settings(home=place / "home", config=config, project=project, user="tester", port=0)


@pytest.fixture(scope="module")
def messages(settings: Settings) -> Iterator[list[tuple[str, Any]]]:
    """What the channel ``operations`` was sent; its server listens on loopback."""
    (settings.config / "alerts.yml").write_text(
        "channels: {operations: {}}\ntell: {run_failed: [operations], files_refused: [operations]}\n", "utf-8"
    )
    with http_server() as (url, posts), pytest.MonkeyPatch.context() as patch:
        patch.setenv("DEALERMART_ALERT_OPERATIONS", url.replace("http://", "json://"))
        yield posts


@pytest.fixture(scope="module")
def airflow(settings: Settings, messages: list[tuple[str, Any]]) -> Iterator[Standalone]:
    """The real DAGs; its tasks find the project of the settings by the environment that the scheduler hands on."""
    expected = ["ingest_sample", "arrivals", "build_marts", "publish", "watch", "close_period", *MONTHLY]
    with Standalone(settings, REPO / "dags", expected=expected, start_seconds=LONG) as running:
        running.unpause("build_marts", "publish", "ingest_sample", *MONTHLY)
        yield running


def drop(settings: Settings, received: str, **files: str) -> None:
    """Put files into the inbox, open to all as senders leave them, and left alone for long enough to be due at once."""
    folder = settings.inbox / "sample" / received
    before = os.umask(0o022)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            path = folder / f"{name}.csv"
            path.write_text(text, "utf-8")
            os.utime(path, (1_000_000_000, 1_000_000_000))
    finally:
        os.umask(before)


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


def log_of(airflow: Standalone, run: DagRun, task: str) -> list[str]:
    path = f"/dags/{run.dag_id}/dagRuns/{run.run_id}/taskInstances/{task}"
    return log_lines(airflow._get(f"{path}/logs/1", map_index=-1)["content"])


def test_somebody_is_told_of_each_red_run_once(
    airflow: Standalone, first_wave: dict[str, DagRun], messages: list[tuple[str, Any]]
) -> None:
    """The refused file by the run log, the run without a date by Airflow alone: it ended before there was a log."""
    for _ in range(int(LONG)):
        told = "\n".join(post["message"] for _, post in messages)
        if "1 files not taken" in told and first_wave["dateless"].run_id in told:
            break
        time.sleep(1)
    assert told.count("ingest sample 2026-03-04: 1 files not taken: sales_b.csv") == 1
    assert told.count("DAG ingest_sample is red: ingest failed") == 1
    assert told.count(f"/dags/ingest_sample/runs/{first_wave['dateless'].run_id}") == 1
    assert first_wave["refused"].run_id not in told


def test_a_green_run_says_in_log_and_note_what_it_held_back(
    settings: Settings, airflow: Standalone, first_wave: dict[str, DagRun]
) -> None:
    run = first_wave["corrections"]
    (page,) = [entry["report"] for entry in read_runs(settings) if entry.get("received") == "2026-03-03"]
    said = [
        "files: 1 accepted",
        "rows: 3 records, 2 accepted, 1 quarantined",
        "in quarantine: 1 by dealer_id_missing",
        f"report: {settings.home / page}",
    ]
    (note,) = [task["note"] for task in airflow.tasks(run) if task["task_id"] == "ingest"]
    assert (run.state, note.splitlines()) == ("success", said)
    assert [line for line in log_of(airflow, run, "ingest") if line in said][-4:] == said
    assert log_of(airflow, first_wave["build_marts"], "build"), "what other tasks print as well"


def test_a_month_waits_for_its_end(airflow: Standalone, first_wave: dict[str, DagRun]) -> None:
    assert airflow.runs(*MONTHLY) == []
    for dag_id, day, hour in (("compact", 2, 3), ("retention", 3, 4), ("audit_closed", 4, 5)):
        first = datetime.fromisoformat(airflow._get(f"/dags/{dag_id}")["next_dagrun_run_after"])
        assert (first.day, first.hour) == (day, hour)
        assert first > datetime.now(UTC)


@pytest.mark.usefixtures("first_wave")
def test_the_form_has_a_field_for_the_received_date(airflow: Standalone) -> None:
    param = airflow._get("/dags/ingest_sample/details")["params"]["received"]
    assert (param["value"], param["schema"]["type"], param["schema"]["format"]) == (None, ["null", "string"], "date")


REQUESTS = {
    "page of Airflow's data": ("GET", "/api/v2/dags", {}, 401),
    "data of the page": ("GET", "/ui/dags", {}, 401),
    "a run": ("POST", "/api/v2/dags/ingest_sample/dagRuns", {}, 401),
    "the API of tasks": ("GET", "/execution/variables/x", {"Authorization": "none"}, 401),
    "a wrong password": ("POST", "/auth/token", {}, 401),
    "no password at all": ("GET", "/auth/token", {}, 403),
    "a foreign name": ("GET", "/api/v2/version", {"Host": "evil.example"}, 403),
    "a foreign name like ours": ("GET", "/api/v2/version", {"Host": "localhost.evil.example"}, 403),
    "another site's page": ("POST", "/auth/token", {"Origin": "http://evil.example"}, 403),
    "another page of this machine": ("POST", "/auth/token", {"Origin": "http://localhost:3000"}, 403),
    "by the name localhost": ("GET", "/api/v2/version", {"Host": "localhost:9999"}, 200),
}


def test_the_api_asks_for_a_password_and_is_closed_to_foreign_pages(airflow: Standalone) -> None:
    login = {"username": "admin", "password": "admin"}

    def asked() -> dict[str, int]:
        with httpx.Client(base_url=airflow.url, trust_env=False) as http:
            good = {"username": "admin", "password": airflow.password}
            own = http.post("/auth/token", headers={"Origin": airflow.url}, json=good)
            return {"our own page": own.status_code} | {
                name: http.request(method, path, headers=headers, json=login if path == "/auth/token" else None).status_code
                for name, (method, path, headers, _) in REQUESTS.items()
            }  # fmt: skip

    assert asked() == {"our own page": 201} | {name: code for name, (*_, code) in REQUESTS.items()}
    assert airflow.passwords.read_text("utf-8").count(airflow.password) == 1
    assert stat.S_IMODE(airflow.passwords.stat().st_mode) == 0o600
    assert f"password {airflow.password}" in airflow.login


def test_every_port_is_on_the_loopback_address(airflow: Standalone) -> None:
    assert airflow._process is not None
    members = {process.pid for process in _session(airflow._process.pid)}
    listening = {
        (found.laddr.ip, found.laddr.port)
        for found in psutil.net_connections("inet")
        if found.pid in members and found.status == psutil.CONN_LISTEN
    }
    assert listening == {("127.0.0.1", int(airflow.url.rsplit(":", 1)[1]))}


@needs_root
def test_nobody_reads_no_pay_and_asks_airflow_nothing(
    settings: Settings, airflow: Standalone, first_wave: dict[str, DagRun]
) -> None:
    """After a first wave the home has everything: inbox, landing, log, lake, quarantine, warehouse, copies, Airflow."""
    made = {path.name for path in settings.home.iterdir()}
    assert made >= {"inbox", "landing", "log", "lake", "quarantine", "warehouse", "published", "runs", "airflow"}
    seen = seen_by_nobody(settings.home)
    assert {path for path in seen if not path.startswith("published/versions/bi-")} == {
        "published", "published/versions", "published/bi",
    }  # fmt: skip
    (bi,) = {(settings.published / "bi").resolve().relative_to(settings.home)}
    assert {f"{bi}/dealermart.duckdb", f"{bi}/parquet", f"{bi}/parquet/fct_sale_line.parquet"} <= seen
    assert (settings.published / "hr" / "dealermart.duckdb").is_file()

    def ask() -> list[int]:
        paths = ("/api/v2/dags", "/ui/dags", "/api/v2/connections")
        return [httpx.get(airflow.url + path, trust_env=False).status_code for path in paths]

    assert as_nobody(ask) == [401, 401, 401]


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
    assert not [airflow.failure(run) for run in new if run.state != "success"]
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
    """The first look starts nothing for the dates that runs have taken already, by hand or by a backfill."""
    ingested = len(airflow.runs("ingest_sample"))
    airflow.unpause("arrivals")
    while not (looked := airflow.runs("arrivals")) or not all(run.done for run in looked):
        time.sleep(0.5)
    airflow.wait(LONG, on_failure="go on")
    assert not [run.run_id for run in airflow.runs("ingest_sample")[ingested:] if run.run_id.startswith("arrival")]
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


@pytest.mark.usefixtures("first_wave")
def test_a_period_is_closed_when_a_person_approves_and_not_before(settings: Settings, airflow: Standalone) -> None:
    """The marts are pretended; a row is in quarantine and a file was refused, so two gates are to be waived."""
    built.build(settings, built.together(built.FIRST, built.SECOND))
    airflow.unpause("close_period", "audit_closed")

    def asked(period: str) -> DagRun:
        """A run that waits for an answer."""
        run_id = airflow.trigger("close_period", conf={"period": period})
        while True:
            (run,) = (run for run in airflow.runs("close_period") if run.run_id == run_id)
            states = {task["task_id"]: task["state"] for task in airflow.tasks(run)}
            if run.done or states.get("approve") == "awaiting_input":
                return run
            time.sleep(0.5)

    def answer(run: DagRun, choice: str, **form: object) -> dict[str, str]:
        path = f"/dags/close_period/dagRuns/{run.run_id}/taskInstances/approve/-1/hitlDetails"
        shown = airflow._get(path)
        assert shown["subject"] == "Close pay of 2026-Q1" and "**quarantine** may be waived: 1 rows" in shown["body"]
        # A person takes seconds. A task that runs again before the scheduler saw its first run end is taken for killed.
        time.sleep(5)
        airflow._call("PATCH", path, json={"chosen_options": [choice], "params_input": form})
        airflow.wait(LONG, on_failure="go on")
        return {task["task_id"]: task["state"] for task in airflow.tasks(run)}

    form = {"reason": "pay run", "waive": ["quarantine", "nothing_refused"], "waive_reason": "known to the dealer"}
    assert answer(asked("2026-Q1"), "Reject", **form)["close"] == "skipped"
    waiting = asked("2026-Q1")
    assert frozen.chain(settings) == (), "it waits"
    assert answer(waiting, "Approve", **form)["close"] == "success"
    (folder,) = frozen.chain(settings)
    assert (folder.name, folder.manifest["by"], folder.manifest["reason"]) == ("pay/2026-Q1/V1R1", "admin", "pay run")
    assert [waiver["gate"] for waiver in folder.manifest["waivers"]] == ["nothing_refused", "quarantine"]
    again = asked("2026-Q1")
    assert again.state == "failed" and "was closed as pay/2026-Q1/V1R1" in airflow.failure(again)


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
