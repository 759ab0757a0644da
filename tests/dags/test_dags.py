"""The shape of the DAGs: which there are, how they are scheduled, what may run beside what, what is tried again."""

from __future__ import annotations

import ast
import asyncio
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest

from dealermart.base import (
    REPO,
    BalanceError,
    BuildError,
    CheckCrashed,
    ConfigError,
    DataError,
    DealermartError,
    FetchError,
    LockError,
    SuiteError,
)

FILES = sorted((REPO / "dags").glob("*.py"))
APPROVAL = "airflow.providers.standard.operators.hitl"  # a person's approval is an operator, and no part of the SDK
TASKS = {
    "ingest_sample": {"ingest": "warehouse", "announce": "default_pool", "verdict": "default_pool"},
    "ingest_adventureworks": {"ingest": "warehouse", "announce": "default_pool", "verdict": "default_pool"},
    "ingest_zoho": {"pull": "crm_zoho", "ingest": "warehouse", "announce": "default_pool", "verdict": "default_pool"},
    "ingest_fxiaoke": {
        "pull": "crm_fxiaoke",
        "ingest": "warehouse",
        "announce": "default_pool",
        "verdict": "default_pool",
    },
    "arrivals": {"fetch": "default_pool", "look": "default_pool", "start": "default_pool"},
    "build_marts": {"settle": "default_pool", "build": "warehouse"},
    "publish": {"publish": "warehouse"},
    "compact": {"compact": "warehouse"},
    "retention": {"erase": "warehouse"},
    "close_period": {"gates": "warehouse", "approve": "default_pool", "close": "warehouse"},
    "audit_closed": {"verify": "warehouse", "rebuild": "warehouse"},
    "review_documents": {"workbook": "default_pool", "packs": "default_pool"},
    "watch": {"look": "default_pool"},
}


def test_the_dags_are_these_and_all_of_them_load(dagbag: Any) -> None:
    assert dagbag.import_errors == {}
    assert set(dagbag.dags) == set(TASKS)


def test_tasks_and_their_pools(dagbag: Any) -> None:
    assert {name: {task.task_id: task.pool for task in dag.tasks} for name, dag in dagbag.dags.items()} == TASKS


def test_a_source_is_a_folder_of_the_config_and_a_broken_one_harms_no_other(
    airflow_home: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow.dag_processing.dagbag import DagBag

    for name, text in {"mini": "source: mini", "broken": "source: [", "not a name": "source: x"}.items():
        (tmp_path / "sources" / name).mkdir(parents=True)
        (tmp_path / "sources" / name / "source.yml").write_text(text, "utf-8")
    (tmp_path / "sources" / "empty").mkdir()
    monkeypatch.setenv("DEALERMART_CONFIG", str(tmp_path))
    monkeypatch.delitem(sys.modules, "assets", raising=False)
    found = DagBag(str(REPO / "dags"))
    monkeypatch.delitem(sys.modules, "assets")
    assert found.import_errors == {}
    assert {name for name in found.dags if name.startswith("ingest_")} == {"ingest_broken", "ingest_mini"}


@pytest.mark.parametrize("dag_id", TASKS)
def test_one_run_at_a_time_and_no_catching_up(dagbag: Any, dag_id: str) -> None:
    dag = dagbag.dags[dag_id]
    assert (dag.max_active_runs, dag.catchup) == (1, False)


def test_every_dag_survives_the_way_to_the_scheduler(dagbag: Any) -> None:
    from airflow.serialization.serialized_objects import DagSerialization

    for dag_id, dag in dagbag.dags.items():
        again = DagSerialization.from_dict(DagSerialization.to_dict(dag))
        assert {task.task_id for task in again.tasks} == set(TASKS[dag_id])


@pytest.mark.parametrize("dag_id", ["ingest_sample", "ingest_adventureworks"])
def test_the_midnight_run_takes_the_day_that_has_ended(dagbag: Any, dag_id: str) -> None:
    from airflow.serialization.encoders import coerce_to_core_timetable
    from airflow.timetables.base import TimeRestriction

    timetable = coerce_to_core_timetable(dagbag.dags[dag_id].timetable)
    since = TimeRestriction(earliest=datetime(2026, 3, 3, tzinfo=UTC), latest=None, catchup=True)
    run = timetable.next_dagrun_info_v2(last_dagrun_info=None, restriction=since)
    assert (run.run_after.isoformat(), run.partition_key) == ("2026-03-03T00:00:00+00:00", "2026-03-02")


@pytest.mark.parametrize("key", ["2026-03-02", "2024-02-29"])
def test_any_received_date_of_any_source_starts_the_one_build(dagbag: Any, assets: ModuleType, key: str) -> None:
    from airflow.serialization.encoders import coerce_to_core_timetable

    timetable = coerce_to_core_timetable(dagbag.dags["build_marts"].timetable)
    heard = {
        name.name: timetable.get_partition_mapper(name=name.name) for name, _ in timetable.asset_condition.iter_assets()
    }
    assert set(heard) == {f"{source}_landed" for source in assets.SOURCES}
    assert {mapper.to_downstream(key) for mapper in heard.values()} == {assets.WHOLE}


def test_the_lake_is_merged_once_a_month(dagbag: Any) -> None:
    from airflow.serialization.encoders import coerce_to_core_timetable
    from airflow.timetables.base import TimeRestriction

    timetable = coerce_to_core_timetable(dagbag.dags["compact"].timetable)
    since = TimeRestriction(earliest=datetime(2026, 3, 3, tzinfo=UTC), latest=None, catchup=True)
    first = timetable.next_dagrun_info_v2(last_dagrun_info=None, restriction=since)
    second = timetable.next_dagrun_info_v2(last_dagrun_info=first, restriction=since)
    assert [one.run_after.isoformat() for one in (first, second)] == [
        "2026-04-02T03:00:00+00:00",
        "2026-05-02T03:00:00+00:00",
    ]


FIRST = {
    "late in a month": ("2026-11-28T12:00:00", "", "2026-12-02T03:00:00"),
    "hours after the slot": ("2026-11-02T09:00:00", "", "2026-12-02T03:00:00"),
    "before the slot": ("2026-11-01T00:00:00", "", "2026-11-02T03:00:00"),
    "a scheduler that looks a bit late": ("2026-11-02T03:00:20", "", "2026-11-02T03:00:00"),
    "first started after the slot": ("2026-11-28T12:00:00", "2026-11-28T11:59:00+00:00", "2026-12-02T03:00:00"),
    "off at its first slot": ("2026-11-10T12:00:00", "2026-10-20T08:00:00+00:00", "2026-11-02T03:00:00"),
}


@pytest.mark.parametrize("case", FIRST)
def test_a_month_that_had_ended_before_the_first_start_is_not_run(
    dagbag: Any, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    from airflow.serialization.encoders import coerce_to_core_timetable
    from airflow.timetables import trigger
    from airflow.timetables.base import TimeRestriction

    import monthly

    now, since, expected = FIRST[case]
    monkeypatch.setattr(trigger, "utcnow", lambda: datetime.fromisoformat(now).replace(tzinfo=UTC))
    monkeypatch.setattr(monthly, "SINCE", since)
    begins = monthly.monthly("0 3 2 * *")
    restriction = TimeRestriction(earliest=begins["start_date"], latest=None, catchup=False)
    timetable = coerce_to_core_timetable(begins["schedule"])
    first = timetable.next_dagrun_info_v2(last_dagrun_info=None, restriction=restriction)
    assert first.run_after.isoformat() == f"{expected}+00:00"
    after = timetable.next_dagrun_info_v2(last_dagrun_info=first, restriction=restriction)
    assert after.run_after > first.run_after


def test_all_monthly_dags_begin_so(dagbag: Any) -> None:
    for dag_id in ("compact", "retention", "audit_closed"):
        dag = dagbag.dags[dag_id]
        assert (dag.start_date, dag.timetable.run_immediately) == (None, timedelta(minutes=10))


@pytest.mark.parametrize("source", ["sample", "adventureworks"])
def test_the_form_takes_a_received_date_or_none(dagbag: Any, source: str) -> None:
    from airflow.sdk.exceptions import ParamValidationError

    param = dagbag.dags[f"ingest_{source}"].params.get_param("received")
    assert (param.resolve(), param.resolve("2026-03-02")) == (None, "2026-03-02")
    for wrong in ("02.03.2026", "2026-02-30", 20260302):
        with pytest.raises(ParamValidationError):
            param.resolve(wrong)


HOSTS = {
    "by number": ([("host", "127.0.0.1:8080")], True),
    "by name": ([("host", "localhost:8080")], True),
    "version 6": ([("host", "[::1]:8080")], True),
    "in capitals": ([("host", "LOCALHOST")], True),
    "through a tunnel": ([("host", "localhost:9"), ("origin", "http://localhost:9")], True),
    "the name that the settings say": ([("host", "airflow.example")], True),
    "a foreign name": ([("host", "evil.example")], False),
    "ours as part of a foreign one": ([("host", "127.0.0.1.evil.example")], False),
    "ours as the user of a foreign one": ([("host", "localhost@evil.example")], False),
    "none": ([], False),
    "two": ([("host", "localhost"), ("host", "evil.example")], False),
    "no address": ([("host", "[")], False),
    "another site's page": ([("host", "localhost:8080"), ("origin", "http://evil.example")], False),
    "another page of this machine": ([("host", "localhost:8080"), ("origin", "http://localhost:3000")], False),
    "a page without a place": ([("host", "localhost:8080"), ("origin", "null")], False),
}


@pytest.mark.parametrize("case", HOSTS)
def test_only_hosts_and_pages_of_this_machine_are_answered(
    airflow_home: None, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    monkeypatch.syspath_prepend(str(REPO / "dags" / "plugins"))
    from known_hosts import KnownHosts, KnownHostsPlugin

    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "https://airflow.example/x")
    headers, taken = HOSTS[case]
    passed: list[str] = []
    sent: list[dict[str, Any]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        passed.append(scope["type"])

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    guard = KnownHosts(app)
    for kind in ("lifespan", "http", "websocket"):
        scope = {"type": kind, "headers": [(name.encode(), value.encode()) for name, value in headers]}
        asyncio.run(guard(scope, None, send))
    assert passed == (["lifespan", "http", "websocket"] if taken else ["lifespan"])
    assert [one.get("status") or one.get("code") for one in sent] == ([] if taken else [403, None, 1008])
    assert KnownHostsPlugin.fastapi_root_middlewares[0]["middleware"] is KnownHosts


def test_marts_start_publish(dagbag: Any, assets: ModuleType) -> None:
    from airflow.serialization.encoders import coerce_to_core_timetable

    timetable = coerce_to_core_timetable(dagbag.dags["publish"].timetable)
    assert [name.name for name, _ in timetable.asset_condition.iter_assets()] == ["marts"]
    assert timetable.get_partition_mapper(name="marts").to_downstream(assets.WHOLE) == assets.WHOLE
    assert [asset.name for asset in dagbag.dags["build_marts"].get_task("build").outlets] == ["marts"]


ERRORS: list[tuple[BaseException, bool]] = [
    (LockError("held"), True),
    (FetchError("no answer"), True),
    (ConnectionResetError("gone"), True),
    (TimeoutError("slow"), True),
    (httpx.ConnectError("refused"), True),
    (httpx.ReadTimeout("slow"), True),
    (DealermartError("any"), False),
    (DataError("bad file"), False),
    (ConfigError("bad plan"), False),
    (SuiteError("bad suite"), False),
    (CheckCrashed("crash"), False),
    (BalanceError("lost"), False),
    (BuildError("red test"), False),
    (ValueError("a fault of the program"), False),
    (FileNotFoundError("gone"), False),
]


@pytest.mark.parametrize(("error", "again"), ERRORS, ids=[type(error).__name__ for error, _ in ERRORS])
def test_only_locks_and_the_network_are_tried_again(dagbag: Any, error: BaseException, again: bool) -> None:
    from airflow.sdk import RetryAction

    for dag in dagbag.dags.values():
        for task in dag.tasks:
            if task.pool == "warehouse":
                decision = task.retry_policy.evaluate(error, try_number=1, max_tries=task.retries)
                assert decision.action is (RetryAction.RETRY if again else RetryAction.FAIL), task.task_id
                assert task.retries >= 1
            elif task.retries:
                assert task.task_id in {"fetch", "start", "pull"}
                decision = task.retry_policy.evaluate(error, try_number=1, max_tries=task.retries)
                assert decision.action is (RetryAction.RETRY if again else RetryAction.FAIL), task.task_id


@pytest.mark.parametrize("file", FILES, ids=[file.name for file in FILES])
def test_a_dag_file_is_short_and_not_overlooked(file: Any) -> None:
    text = file.read_text("utf-8")
    assert len(text.splitlines()) <= 60
    # Airflow does not open a file without these two words, and says nothing.
    assert "airflow" in text
    assert "dag" in text


@pytest.mark.parametrize("file", FILES, ids=[file.name for file in FILES])
def test_top_level_imports_are_light_and_airflow_is_only_its_sdk(file: Any) -> None:
    tree = ast.parse(file.read_text("utf-8"))
    top = {name for node in tree.body for name in _imported(node)}
    assert {name for name in top if not name.startswith("airflow.sdk")} <= {
        APPROVAL,
        "contextlib",
        "copy",
        "datetime",
        "pathlib",
        "alerting",
        "approvals",
        "arrival_trigger",
        "assets",
        "care",
        "channels",
        "crm_pull",
        "forms",
        "dealermart",  # its doors base and config, for the names of the sources and the owner
        "monthly",
    }
    everywhere = {name for node in ast.walk(tree) for name in _imported(node)}
    assert {name for name in everywhere if name.startswith("airflow")} <= {
        "airflow.sdk",
        "airflow.sdk.exceptions",
        APPROVAL,
    }
    assert not {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} & {"open", "eval", "exec"}


def test_the_readme_lists_every_dag() -> None:
    table = [
        name.strip(" `")
        for line in (REPO / "dags" / "README.md").read_text("utf-8").splitlines()
        if line.startswith("| `")
        for name in line.split("|")[1].split(",")
    ]
    assert sorted(table) == sorted(TASKS)


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [one.name for one in node.names]
    if isinstance(node, ast.ImportFrom):
        return [node.module or ""]
    return []
