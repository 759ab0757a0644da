"""What those who run the DAGs get: pages, owners, forms, notes, and messages when something is red or late."""

from __future__ import annotations

import asyncio
from copy import deepcopy
from datetime import date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.dags.test_tasks import Outlets, TaskInstance, callable_of, run_for

from dealermart import alerts, demo, frozen, ingest, publish, warehouse
from dealermart.base import REPO, ConfigError, DealermartError, LockError, Settings
from dealermart.ingest import Override

DAG_IDS = [
    "arrivals",
    "audit_closed",
    "build_marts",
    "close_period",
    "compact",
    "ingest_adventureworks",
    "ingest_fxiaoke",
    "ingest_sample",
    "ingest_zoho",
    "publish",
    "retention",
    "review_documents",
    "watch",
]


@pytest.mark.parametrize("dag_id", DAG_IDS)
def test_every_dag_has_an_owner_tags_and_a_page_for_when_it_is_red(dagbag: Any, dag_id: str) -> None:
    dag = dagbag.dags[dag_id]
    assert set(dagbag.dags) == set(DAG_IDS)
    assert dag.owner == "data engineering"
    assert "owner:data engineering" in dag.tags
    assert len(dag.tags) > 1
    assert "**When it is red**" in dag.doc_md
    assert "{" not in dag.doc_md
    assert [type(callback).__name__ for callback in (dag.on_failure_callback,)] == ["RunFailed"]
    for task in dag.tasks:
        assert task.owner == "data engineering"
        assert len(task.doc_md or "") > 20, f"{dag_id}.{task.task_id} does not say what it does"


def test_every_dag_has_a_page() -> None:
    pages = {path.stem for path in (REPO / "dags" / "pages").glob("*.md")}
    assert {dag_id if not dag_id.startswith("ingest") else "ingest" for dag_id in DAG_IDS} <= pages


def test_the_way_to_publication_has_deadlines(dagbag: Any) -> None:
    """Counted from the moment at which a run was queued: partitioned runs have no logical date."""
    found = {}
    for dag_id, dag in dagbag.dags.items():
        for deadline in dag.deadline or []:
            assert type(deadline.reference).__name__ == "DagRunQueuedAtDeadline"
            assert deadline.callback.path == "alerting.deadline_missed"
            assert deadline.interval == timedelta(minutes=deadline.callback.kwargs["minutes"])
            found[dag_id] = deadline.callback.kwargs["minutes"]
    sources = ("adventureworks", "fxiaoke", "sample", "zoho")
    assert found == {**{f"ingest_{source}": 120 for source in sources}, "build_marts": 240, "publish": 60}


def test_a_broken_alerts_file_stops_no_dag(airflow_home: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import sys

    from airflow.dag_processing.dagbag import DagBag

    from dealermart import config

    def broken(settings: Any) -> Any:
        raise ConfigError("broken")

    monkeypatch.setattr(config, "load_alerts", broken)
    monkeypatch.delitem(sys.modules, "care", raising=False)
    found = DagBag(str(REPO / "dags"))
    monkeypatch.delitem(sys.modules, "care")
    assert (found.import_errors, set(found.dags)) == ({}, set(DAG_IDS))


# ---------------------------------------------------------------------------------------------- forms


def test_the_forms_ask_for_what_a_person_may_decide(dagbag: Any) -> None:
    assert set(dagbag.dags["ingest_sample"].params) == {"received", "override", "file", "by", "reason"}
    assert set(dagbag.dags["build_marts"].params) == {"as_of", "full"}
    for dag_id in ("ingest_sample", "build_marts"):
        params = dagbag.dags[dag_id].params
        params.validate()  # a run without a form, by the clock or an event, has none of it
        for name in params:
            schema = params.get_param(name).schema
            assert schema["title"]
            assert name == "received" or len(schema["description_md"]) > 20


def test_an_override_of_the_form_reaches_the_ingest(dagbag: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []

    def stand_in(settings: Any, source: str, received: date, say: Any, decided: Any) -> Any:
        seen.extend(decided)
        return SimpleNamespace(raise_for_refused=lambda: None, summary=lambda: ["rows: 3"])

    monkeypatch.setattr(demo, "note", lambda settings, ti, text, say, elsewhere: None)
    monkeypatch.setattr(ingest, "run", stand_in)
    monkeypatch.setattr(warehouse, "pending", lambda settings: False)
    task = callable_of(dagbag, "ingest_sample", "ingest")
    task(dag_run=run_for("2026-03-02", override="shrinks", by="Li", reason="closed shops"), ti=TaskInstance())
    task(dag_run=run_for("2026-03-02", override="shrinks", file="a*.csv"), ti=TaskInstance())
    assert seen == [Override("shrinks", "Li", "closed shops", "*"), Override("shrinks", "", "", "a*.csv")]


MOMENTS = {
    "2026-03-02T18:00:00": datetime(2026, 3, 2, 18),
    "2026-03-02T18:00:00Z": datetime(2026, 3, 2, 18),
    "2026-03-02T18:00:00+08:00": datetime(2026, 3, 2, 10),
    "": None,
}


@pytest.mark.parametrize("said", MOMENTS)
def test_a_past_moment_is_built_and_not_published(dagbag: Any, monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    asked: list[Any] = []

    def stand_in(settings: Any, as_of: Any, full: bool, say: Any) -> Any:
        asked.append((as_of, full))
        return warehouse.BuildResult("r1", False, as_of="x", models=3, tests=4)

    monkeypatch.setattr(warehouse, "run", stand_in)
    monkeypatch.setattr(demo, "note", lambda settings, ti, text, say, elsewhere: None)
    outlets, run = Outlets(), run_for(None, as_of=said, full=True)
    callable_of(dagbag, "build_marts", "build")(ti=TaskInstance(), dag_run=run, outlet_events=outlets)
    assert asked == [(MOMENTS[said], True)]
    assert bool(outlets) == (MOMENTS[said] is None)


def test_a_moment_that_is_none_fails_for_good(airflow_home: None) -> None:
    from airflow.sdk.exceptions import AirflowFailException

    from forms import as_of

    with pytest.raises(AirflowFailException, match="no moment written like"):
        as_of(run_for(None, as_of="yesterday"))


# ---------------------------------------------------------------------------------------------- notes


def test_publish_notes_counts_and_where_they_are(dagbag: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    notes: list[str] = []
    counts = {"bi": {"a": 1000, "b": 2}, "hr": {"a": 5}}
    result = SimpleNamespace(run_id="r1", audiences=counts, path=Path("published"), postgres={"bi": {"a": 1}})
    monkeypatch.setattr(publish, "run", lambda settings, say, postgres: result)
    monkeypatch.setattr(demo, "note", lambda settings, ti, text, say, elsewhere: notes.append(text))
    assert callable_of(dagbag, "publish", "publish")(ti=TaskInstance()) == {"bi": 1002, "hr": 5}
    assert notes == ["bi: 2 tables, 1,002 rows\nhr: 1 tables, 5 rows\nPostgreSQL bi: 1 tables\nin: published\nrun: r1"]


def test_an_airflow_that_we_did_not_start_is_found_by_its_connection(
    dagbag: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[Any] = []
    monkeypatch.setattr(demo, "note", lambda settings, ti, text, say, elsewhere: found.append(elsewhere()))
    monkeypatch.setattr(frozen, "verify", lambda settings: [])
    verify = callable_of(dagbag, "audit_closed", "verify")
    monkeypatch.delenv("AIRFLOW_CONN_DEALERMART_AIRFLOW", raising=False)
    verify(ti=TaskInstance())
    entry = '{"conn_type": "generic", "host": "https://airflow.example", "login": "notes", "password": "p"}'
    monkeypatch.setenv("AIRFLOW_CONN_DEALERMART_AIRFLOW", entry)
    verify(ti=TaskInstance())
    assert found == [None, ("https://airflow.example", "notes", "p")]


# ---------------------------------------------------------------------------------------------- alerts


@pytest.fixture
def told(dagbag: Any, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Alerts and addresses that the callbacks hand over."""
    found: list[Any] = []

    def stand_in(settings: Any, more: Any = (), addresses: Any = None, say: Any = None) -> Any:
        found.extend((alert, addresses) for alert in more)
        return SimpleNamespace(alerts=[], sent={}, raise_for_failed=lambda: None)

    monkeypatch.setattr(alerts, "look", stand_in)
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "http://127.0.0.1:8080/")
    monkeypatch.setenv("AIRFLOW_CONN_DEALERMART_ALERT_OPERATIONS", '{"conn_type": "generic", "password": "slack://a"}')
    return found


def context(dagbag: Any, dag_id: str, **more: Any) -> dict[str, Any]:
    return {"dag": dagbag.dags[dag_id], "run_id": "manual__2026-03-02T00:00:00+00:00", **more}


def test_a_red_run_is_told_with_its_page_and_by_the_connections_address(dagbag: Any, told: list[Any]) -> None:
    callback = dagbag.dags["publish"].on_failure_callback
    callback(context(dagbag, "publish", ti=SimpleNamespace(task_id="publish")))
    (alert, addresses), link = told[0], "/dags/publish/runs/manual__2026-03-02T00%3A00%3A00%2B00%3A00"
    assert (alert.kind, alert.link) == ("run_failed", f"http://127.0.0.1:8080{link}")
    assert "DAG publish is red: publish failed" in alert.en
    assert addresses == {"operations": "slack://a"}
    callback(context(dagbag, "publish"))  # a run that was timed out names no task
    assert "no task of it failed" in told[1][0].en


def test_a_missed_deadline_is_told_from_the_triggerer(told: list[Any]) -> None:
    import alerting

    run = {"dag_id": "publish", "dag_run_id": "r1"}
    asyncio.run(alerting.deadline_missed(context={"dag_run": run}, minutes=60))
    assert (told[0][0].kind, told[0][0].key) == ("publication_late", "deadline publish r1")
    assert "has not ended 60 minutes after" in told[0][0].en


def test_a_closing_that_waits_is_told_with_kind_and_period(dagbag: Any, told: list[Any]) -> None:
    """By the very notifier of the DAG's task, as Airflow's operator calls it."""
    task = dagbag.dags["close_period"].get_task("approve")
    (notifier,) = task.notifiers
    waits = context(dagbag, "close_period", ti=SimpleNamespace(task_id="approve"))
    deepcopy(notifier)(waits | {"params": {"kind": "review", "period": "2026-Q1"}})
    (alert, addresses) = told[0]
    assert (alert.kind, alert.key) == ("approval_waits", f"approval close_period {waits['run_id']} approve")
    assert alert.en.startswith("closing review of 2026-Q1 waits for somebody's approval")
    assert alert.zh.startswith("closing review of 2026-Q1 正在等待审批")
    assert alert.link.startswith("http://127.0.0.1:8080/dags/close_period/runs/")
    assert addresses == {"operations": "slack://a"}


STATES = {
    "running": False, "awaiting_input": False, "deferred": False,
    "success": True, "failed": True, "skipped": True, None: True,
}  # fmt: skip


@pytest.mark.parametrize("state", STATES)
def test_an_approval_is_over_when_its_task_waits_no_more(
    airflow_home: None, monkeypatch: pytest.MonkeyPatch, state: str | None
) -> None:
    from approvals import answered

    approval = alerts.approval_waits("close_period", "r1", "approve", "x", "")
    deleted = alerts.approval_waits("close_period", "r0", "approve", "x", "")
    red = alerts.dag_failed("publish", "r1", "publish", "")
    monkeypatch.setattr(alerts, "kept", lambda settings: [approval, deleted, red])

    def states(dag_id: str, task_ids: list[str], run_ids: list[str]) -> dict[str, Any]:
        known = {"r1": {"approve": state}}
        return {
            run: known[run] for run in run_ids if run in known and (dag_id, task_ids) == ("close_period", ["approve"])
        }

    over = [*([approval.key] if STATES[state] else []), deleted.key]
    assert answered(SimpleNamespace(get_task_states=states)) == over


def test_a_broken_alerts_file_loses_no_alert(
    dagbag: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "alerts.yml").write_text("channels: [", "utf-8")
    monkeypatch.setenv("DEALERMART_HOME", str(tmp_path))
    monkeypatch.setenv("DEALERMART_CONFIG", str(tmp_path))
    dagbag.dags["publish"].on_failure_callback(context(dagbag, "publish"))
    assert "alerts.yml" in capsys.readouterr().out
    assert [alert.kind for alert in alerts.kept(Settings(home=tmp_path))] == ["run_failed"]


def test_a_callback_that_cannot_tell_changes_nothing(
    dagbag: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def held(*given: Any, **more: Any) -> Any:
        raise LockError("somebody else is telling alerts")

    monkeypatch.setattr(alerts, "look", held)
    dagbag.dags["publish"].on_failure_callback(context(dagbag, "publish"))
    assert "somebody else is telling alerts" in capsys.readouterr().out


def test_the_watch_is_red_when_somebody_was_not_told(dagbag: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    notes: list[str] = []
    late = alerts.Alert("feed_late", "k", "sales are late", "x")
    found = alerts.Told([late], {"operations": [late]})
    monkeypatch.setattr(alerts, "kept", lambda settings: [])
    monkeypatch.setattr(alerts, "look", lambda settings, addresses, say, over: found)
    monkeypatch.setattr(demo, "note", lambda settings, ti, text, say, elsewhere: notes.append(text))
    task = callable_of(dagbag, "watch", "look")
    assert task(ti=TaskInstance()) == {"operations": 1}
    assert notes == ["told to operations: 1\nfeed_late: sales are late"]
    found.failed.append("operations")
    with pytest.raises(DealermartError, match="did not take the message"):
        task(ti=TaskInstance())
