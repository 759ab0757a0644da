"""Arrival: what waits is started once per state of its files, the watcher tells what is new, a fetch knows its secrets."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from dealermart import demo, ingest, landing
from dealermart.base import ConfigError, Settings
from dealermart.landing.fetching import FetchResult
from dealermart.landing.inbox import company_today

Put = Callable[..., Path]


@pytest.fixture
def here(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The test company as the tasks find it, with its one source in the place of the DAG's."""
    monkeypatch.setenv("DEALERMART_HOME", str(settings.home))
    monkeypatch.setenv("DEALERMART_CONFIG", str(settings.config))
    return settings


@pytest.fixture
def put(here: Settings) -> Put:
    def write(path: str, text: str, written: float = 1_000_000_000) -> Path:
        file = here.inbox / "sample" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
        os.utime(file, (written, written))
        return file

    return write


def task(dagbag: Any, name: str) -> Any:
    return dagbag.dags["arrivals"].get_task(name).python_callable


def started(dagbag: Any, due: dict[str, str]) -> Any:
    from airflow.sdk.exceptions import DagRunTriggerException

    with pytest.raises(DagRunTriggerException) as raised:
        task(dagbag, "start")(due)
    return raised.value


def test_dates_that_wait_are_started_once_and_again_when_a_file_changes(dagbag: Any, here: Settings, put: Put) -> None:
    from airflow.sdk.exceptions import AirflowSkipException

    put("2026-03-02/sales.csv", "1")
    put("2026-03-01/deep/sales.csv", "1")
    put("2026-03-01/.part", "1")
    put("2026-02-30/sales.csv", "1")  # no date
    put("loose.csv", "1")
    due = task(dagbag, "look")()
    assert [(one["source"], one["received"]) for one in due] == [("sample", "2026-03-01"), ("sample", "2026-03-02")]
    run = started(dagbag, due[1])
    assert (run.trigger_dag_id, run.conf) == ("ingest_sample", {"received": "2026-03-02"})
    assert run.dag_run_id == f"arrival__2026-03-02__{due[1]['mark']}"
    assert run.skip_when_already_exists
    assert not run.wait_for_completion
    # A task that died after it told, before Airflow started the run, is tried again and names the same run.
    assert started(dagbag, due[1]).dag_run_id == run.dag_run_id
    assert task(dagbag, "look")() == due[:1]
    started(dagbag, due[0])
    with pytest.raises(AirflowSkipException):
        task(dagbag, "look")()
    put("2026-03-02/sales.csv", "1", 1_000_000_001)
    (again,) = task(dagbag, "look")()
    assert again["received"] == "2026-03-02"
    assert again["mark"] != due[1]["mark"]


def test_a_date_waits_while_one_of_its_new_files_may_be_half_there(here: Settings, put: Put) -> None:
    put("2026-03-02/a.csv", "1")
    late = put("2026-03-02/b.csv", "1", 4_000_000_000)
    assert landing.due(here, "sample") == []
    os.utime(late, (1_000_000_000, 1_000_000_000))
    (one,) = landing.due(here, "sample")
    # What comes between looking and starting is not lost.
    put("2026-03-02/c.csv", "1")
    landing.tell(here, one)
    (two,) = landing.due(here, "sample")
    landing.tell(here, two)
    assert landing.due(here, "sample") == []
    late.unlink()
    assert landing.due(here, "sample") == [], "a file that was taken away is no arrival"


def test_the_received_date_is_the_companys(here: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    for moment, date in (("2026-03-02T15:59:59", "2026-03-02"), ("2026-03-02T16:00:00", "2026-03-03")):  # Shanghai
        monkeypatch.setattr("dealermart.landing.inbox.utc_now", lambda moment=moment: dt.datetime.fromisoformat(moment))
        assert company_today(here).isoformat() == date


def test_the_watcher_tells_once_what_waits(dagbag: Any, here: Settings, put: Put) -> None:
    (asset,) = dagbag.dags["arrivals"].timetable.asset_condition.objects
    (watcher,) = asset.watchers
    path, arguments = watcher.trigger.serialize()
    module, _, name = path.rpartition(".")
    trigger = getattr(__import__(module), name)(**arguments | {"look_every": 0.01})

    async def events() -> list[Any]:
        found, running = [], trigger.run()
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(anext(running), 0.5)
        running = trigger.run()
        put("2026-03-02/sales.csv", "1")
        found.append((await asyncio.wait_for(anext(running), 30)).payload)
        put("2026-03-02/sales.csv", "22")
        found.append((await asyncio.wait_for(anext(running), 30)).payload)
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(anext(running), 0.5)
        return found

    first, second = asyncio.run(events())
    assert [text.split()[:2] for text in (*first, *second)] == [["sample", "2026-03-02"]] * 2
    assert first != second


def test_a_watcher_outlives_a_broken_look(
    dagbag: Any, here: Settings, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    import arrival_trigger

    trigger = arrival_trigger.ArrivalTrigger(["sample"], look_every=0.01)
    put("2026-03-02/sales.csv", "1")
    looking, broken = trigger.look, iter([True, False])

    def look() -> set[str]:
        if next(broken, False):
            raise OSError("the disk is away")
        return looking()

    monkeypatch.setattr(trigger, "look", look)
    assert asyncio.run(asyncio.wait_for(anext(trigger.run()), 30)).payload


CONNECTIONS = {
    "none": (None, None),
    "login and password": (("erp", "secret", {}), {"username": "erp", "password": "secret"}),
    "and more": (("key", "secret", {"endpoint_url": "http://x"}), {"username": "key", "password": "secret", "endpoint_url": "http://x"}),
    "extra only": ((None, None, {"key_filename": "/k"}), {"key_filename": "/k"}),
}  # fmt: skip


@pytest.mark.parametrize("case", CONNECTIONS)
def test_a_fetch_takes_its_secrets_from_airflows_connection_if_there_is_one(
    dagbag: Any, here: Settings, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    from airflow.sdk import Connection
    from airflow.sdk.exceptions import AirflowNotFoundException

    known, expected = CONNECTIONS[case]
    seen = []

    def get(name: str) -> Any:
        assert name == "dealermart_sample"
        if known is None:
            raise AirflowNotFoundException(name)
        return SimpleNamespace(login=known[0], password=known[1], extra_dejson=known[2])

    def stand_in(settings: Settings, source: str, options: Any, say: Any) -> FetchResult:
        seen.append((source, options))
        return FetchResult(((dt.date(2026, 3, 2), "a.csv"),), ("b.csv: too young",))

    notes: list[str] = []
    monkeypatch.setattr(demo, "note", lambda settings, ti, text, say, elsewhere: notes.append(text))
    monkeypatch.setattr(Connection, "get", get)
    monkeypatch.setattr(landing, "fetch", stand_in)
    task(dagbag, "fetch")("sample")
    assert seen == [("sample", expected)]
    assert notes == ["sample: 1 files fetched, 1 left\nb.csv: too young"]


def test_what_a_run_has_taken_is_not_due_however_it_was_started(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By hand, by a backfill, by the demonstration: only what came since, or was not taken, starts a run."""
    folder = settings.inbox / "mini" / "2026-03-02"

    def put(name: str, text: str, written: float = 1_000_000_000) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
        os.utime(folder / name, (written, written))

    def due() -> list[str]:
        return [item.received.isoformat() for item in landing.due(settings, "mini")]

    def run(**how: Any) -> Any:
        return ingest.run(settings, "mini", dt.date(2026, 3, 2), **how)

    put("dealers.csv", "dealer,since,name,region,city\nD1,2026-01-01,甲,East,上海\n")
    put("notes.txt", "nobody expects it")
    assert due() == ["2026-03-02"]
    run(dry_run=True)
    assert due() == ["2026-03-02"], "a dry run takes nothing"
    run(drop=folder)
    assert due() == ["2026-03-02"], "nobody said that this folder is the inbox"
    assert [file.status for file in run().files] == ["duplicate", "unrecognised"]
    assert due() == [], "what was refused is not started again and again"
    put("dealers_2.csv", "dealer,since,name,region,city\nD2,2026-01-01,乙,West,成都\n")
    assert due() == ["2026-03-02"]
    land = landing.land

    def still_written(*what: Any, **how: Any) -> Any:
        """The sender goes on while the files are copied."""
        put("dealers_2.csv", "dealer,since,name,region,city\nD2,2026-01-01,乙,West,成都\nD3,2026-01-01,丙,West,成都\n")
        return land(*what, **how)

    with monkeypatch.context() as patch:
        patch.setattr(landing, "land", still_written)
        run()
    assert due() == ["2026-03-02"], "in another state than it was found in"
    profile = settings.config / "sources" / "mini" / "source.yml"
    good = profile.read_text("utf-8")
    profile.write_text("source: mini\n", "utf-8")
    with pytest.raises(ConfigError):
        run()
    profile.write_text(good, "utf-8")
    assert due() == ["2026-03-02"], "a run that failed took nothing"
    run()
    assert due() == []
