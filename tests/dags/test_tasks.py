"""What the tasks decide, with stand-ins for the lake and for what Airflow says about other runs."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from dealermart import closing, demo, frozen, ingest, review, upkeep, warehouse
from dealermart.base import DataError


class TaskInstance:
    """Answers like Airflow's: ``counts`` by (dag, task), and notes what was pushed."""

    def __init__(self, counts: dict[tuple[str, str], int] | None = None, try_number: int = 1) -> None:
        self.counts, self.try_number = counts or {}, try_number
        self.pushed: dict[str, Any] = {}

    def get_ti_count(self, dag_id: str, *, task_ids: list[str], states: list[str]) -> int:
        assert "null" in states, "a task that was not even scheduled yet has no state"
        return sum(self.counts.get((dag_id, task), 0) for task in task_ids)

    def xcom_push(self, key: str, value: Any) -> None:
        self.pushed[key] = value

    def xcom_pull(self, task_ids: str, key: str) -> Any:
        return self.pushed[key]


class Outlets(dict[Any, Any]):
    """Outlet events that note the partitions which an event was given."""

    def __missing__(self, asset: Any) -> Any:
        self[asset] = SimpleNamespace(keys=[])
        self[asset].add_partitions = self[asset].keys.append
        return self[asset]


def run_for(key: str | None = None, **conf: Any) -> SimpleNamespace:
    return SimpleNamespace(partition_key=key, conf=conf, start_date=datetime.now(UTC))


def callable_of(dagbag: Any, dag_id: str, task_id: str) -> Any:
    return dagbag.dags[dag_id].get_task(task_id).python_callable


RESOLVED = {
    "partition key": (run_for("2026-03-02"), date(2026, 3, 2)),
    "configuration": (run_for(None, received="2026-03-02"), date(2026, 3, 2)),
    "the key before the configuration": (run_for("2026-03-02", received="2026-03-09"), date(2026, 3, 2)),
    "leap day": (run_for("2024-02-29"), date(2024, 2, 29)),
}
UNRESOLVED = {
    "neither": (run_for(), "partition key"),
    "neither names the configuration": (run_for(), '"received"'),
    "no configuration at all": (SimpleNamespace(partition_key=None, conf=None), "names no received date"),
    "empty": (run_for("", received=""), "names no received date"),
    "another format": (run_for("20260302"), "written like"),
    "a moment": (run_for("2026-03-02T00:00:00"), "written like"),
    "a week": (run_for("2026-W10-1"), "written like"),
    "no such day": (run_for("2026-02-30"), "written like"),
    "a word": (run_for("yesterday"), "written like"),
    "a number": (run_for(None, received=20260302), "written like"),
    "the key of a build": (run_for("whole"), "written like"),
}


@pytest.mark.parametrize("case", RESOLVED)
def test_partition_is_resolved(assets: ModuleType, case: str) -> None:
    dag_run, received = RESOLVED[case]
    assert assets.resolve_partition(dag_run) == received


@pytest.mark.parametrize("case", UNRESOLVED)
def test_partition_that_cannot_be_resolved_fails_for_good(assets: ModuleType, case: str) -> None:
    from airflow.sdk.exceptions import AirflowFailException

    dag_run, words = UNRESOLVED[case]
    with pytest.raises(AirflowFailException, match=words):
        assets.resolve_partition(dag_run)


FOLLOWS = {
    "marts up to date": (False, 0, None, []),
    "marts behind": (True, 0, None, ["announce"]),
    "marts behind, but a build is still to begin": (True, 1, None, []),
    "a file was refused": (False, 0, "sales.csv: empty", ["verdict"]),
    "marts behind and a file refused": (True, 0, "sales.csv: empty", ["announce", "verdict"]),
}


@pytest.mark.parametrize("case", FOLLOWS)
def test_what_follows_an_ingest(
    dagbag: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], case: str
) -> None:
    behind, builds_to_come, refused, follow = FOLLOWS[case]
    seen: list[tuple[str, date]] = []

    def stand_in(settings: Any, source: str, received: date, say: Any, decided: Any) -> Any:
        seen.append((source, received))
        assert decided == []

        def raise_for_refused() -> None:
            if refused:
                raise DataError(refused)

        return SimpleNamespace(raise_for_refused=raise_for_refused, summary=lambda: ["rows: 3", "report: x.html"])

    notes: list[str] = []
    monkeypatch.setattr(demo, "note", lambda settings, ti, text, say, elsewhere: notes.append(text))
    monkeypatch.setattr(ingest, "run", stand_in)
    monkeypatch.setattr(warehouse, "pending", lambda settings: behind)
    ti = TaskInstance({("build_marts", "build"): builds_to_come})
    task = callable_of(dagbag, "ingest_adventureworks", "ingest")
    assert task(dag_run=run_for("2026-03-02"), ti=ti) == follow
    assert seen == [("adventureworks", date(2026, 3, 2))]
    assert ti.pushed == ({"refused": refused} if refused else {})
    assert notes == ["rows: 3\nreport: x.html"]
    assert capsys.readouterr().out == "rows: 3\nreport: x.html\n"


def test_the_verdict_is_red_in_the_words_of_the_refusal(dagbag: Any) -> None:
    from airflow.sdk.exceptions import AirflowFailException

    ti = TaskInstance()
    ti.xcom_push("refused", "sales.csv: the file is empty")
    with pytest.raises(AirflowFailException, match=r"sales\.csv: the file is empty"):
        callable_of(dagbag, "ingest_sample", "verdict")(ti=ti)


@pytest.mark.parametrize("dag_run", [run_for("2026-03-02"), run_for(None, received="2026-03-02")], ids=["key", "conf"])
def test_the_event_names_its_date_however_the_run_was_told(dagbag: Any, assets: ModuleType, dag_run: Any) -> None:
    """An event without a partition key would start nothing."""
    outlets = Outlets()
    callable_of(dagbag, "ingest_sample", "announce")(dag_run=dag_run, outlet_events=outlets)
    assert {asset.name: event.keys for asset, event in outlets.items()} == {"sample_landed": ["2026-03-02"]}


SETTLED = {
    "nothing is coming": ({}, 0, True),
    "dates are still coming": ({("ingest_sample", "ingest"): 3}, 0, False),
    "another source's dates are coming": ({("ingest_adventureworks", "ingest"): 1}, 0, False),
    "they come, but it has waited long enough": ({("ingest_sample", "ingest"): 300}, 11, True),
}


@pytest.mark.parametrize("case", SETTLED)
def test_a_build_waits_for_dates_that_are_coming(dagbag: Any, case: str) -> None:
    counts, waited, settled = SETTLED[case]
    dag_run = SimpleNamespace(start_date=datetime.now(UTC) - timedelta(minutes=waited))
    assert callable_of(dagbag, "build_marts", "settle")(dag_run=dag_run, ti=TaskInstance(counts)) is settled


BUILDS = {
    "built": (False, 1, ["whole"]),
    "built at the second try": (False, 2, ["whole"]),
    "nothing new": (True, 1, None),
    "nothing new at the second try: the first may have died before its event": (True, 2, ["whole"]),
}


@pytest.mark.parametrize("case", BUILDS)
def test_a_build_starts_publish_unless_there_was_nothing_new(
    dagbag: Any, assets: ModuleType, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    from airflow.sdk.exceptions import AirflowSkipException

    skipped, try_number, keys = BUILDS[case]
    asked: list[tuple[Any, bool]] = []
    notes: list[str] = []

    def stand_in(settings: Any, as_of: Any, full: bool, say: Any) -> Any:
        asked.append((as_of, full))
        return warehouse.BuildResult("r1", skipped, as_of="2026-03-02T00:00:00", models=3, tests=4, months=2)

    monkeypatch.setattr(warehouse, "run", stand_in)
    monkeypatch.setattr(demo, "note", lambda settings, ti, text, say, elsewhere: notes.append(text))
    task, outlets = callable_of(dagbag, "build_marts", "build"), Outlets()
    ti = TaskInstance(try_number=try_number)
    if keys is None:
        with pytest.raises(AirflowSkipException):
            task(ti=ti, dag_run=run_for("whole"), outlet_events=outlets)
        assert (outlets, notes) == ({}, [])
    else:
        task(ti=ti, dag_run=run_for("whole"), outlet_events=outlets)
        assert notes[0].startswith("models: 3 built, 4 tests passed, as of 2026-03-02T00:00:00\nfiscal months: 2")
        assert asked == [(None, False)]
        assert {asset.name: event.keys for asset, event in outlets.items()} == {"marts": keys}


def gate(name: str, figure: int, may_be_waived: bool = False) -> closing.Gate:
    return closing.Gate(name, figure, f"{figure} found", "mend it", may_be_waived=may_be_waived)


FORM = {"kind": "pay", "period": "2026-Q1", "new_version": False}


@pytest.fixture
def notes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    found: list[str] = []
    monkeypatch.setattr(demo, "note", lambda settings, ti, text, say, elsewhere: found.append(text))
    return found


def test_gates_are_shown_to_who_approves(dagbag: Any, monkeypatch: pytest.MonkeyPatch, notes: list[str]) -> None:
    found = (gate("in_order", 0), gate("quarantine", 3, may_be_waived=True))
    monkeypatch.setattr(closing, "examine", lambda settings, asked: found)
    text = callable_of(dagbag, "close_period", "gates")(params=FORM, ti=TaskInstance())
    assert text == "- **in_order** passed: 0 found\n- **quarantine** may be waived: 3 found"
    assert notes == [text]


def test_a_gate_that_nobody_may_waive_asks_nobody(
    dagbag: Any, monkeypatch: pytest.MonkeyPatch, notes: list[str]
) -> None:
    from airflow.sdk.exceptions import AirflowFailException

    monkeypatch.setattr(closing, "examine", lambda settings, asked: (gate("ledger_balanced", 1),))
    with pytest.raises(AirflowFailException, match="ledger_balanced"):
        callable_of(dagbag, "close_period", "gates")(params=FORM, ti=TaskInstance())
    assert notes == ["- **ledger_balanced** shut: 1 found"]


def test_a_period_is_closed_in_the_name_of_who_approved(
    dagbag: Any, monkeypatch: pytest.MonkeyPatch, notes: list[str]
) -> None:
    seen: list[closing.Asked] = []

    def stand_in(settings: Any, asked: closing.Asked, say: Any) -> Any:
        seen.append(asked)
        return SimpleNamespace(folder="pay/2026-Q1/V1R1", hash="abc")

    monkeypatch.setattr(closing, "close", stand_in)
    form = {"reason": "pay run", "waive": ["quarantine"], "waive_reason": "known"}
    answer = {"chosen_options": ["Approve"], "params_input": form, "responded_by_user": {"id": "7", "name": "Chen"}}
    done = callable_of(dagbag, "close_period", "close")(params=FORM, answer=answer, ti=TaskInstance())
    assert done == {"folder": "pay/2026-Q1/V1R1", "hash": "abc"}
    assert seen == [closing.Asked("pay", "2026-Q1", "Chen", "pay run", {"quarantine": "known"})]
    assert notes == ["closed: pay/2026-Q1/V1R1\nby: Chen\nhash: abc"]


def test_an_audit_is_red_where_anything_is_not_as_it_was(
    dagbag: Any, monkeypatch: pytest.MonkeyPatch, notes: list[str]
) -> None:
    from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

    verify, rebuild = (callable_of(dagbag, "audit_closed", task) for task in ("verify", "rebuild"))
    monkeypatch.setattr(frozen, "verify", lambda settings: [frozen.Flaw("pay/2026-Q1/V1R1", "the folder was removed")])
    with pytest.raises(AirflowFailException, match="closed/pay/2026-Q1/V1R1: the folder was removed"):
        verify(ti=TaskInstance())
    monkeypatch.setattr(frozen, "verify", lambda settings: [])
    monkeypatch.setattr(frozen, "chain", lambda settings: (1, 2))
    assert verify(ti=TaskInstance()) == 2
    monkeypatch.setattr(upkeep, "latest_closed", lambda settings: None)
    with pytest.raises(AirflowSkipException, match="nothing is closed yet"):
        rebuild(params={"kind": "pay", "period": None}, ti=TaskInstance())
    asked: list[tuple[str, str]] = []

    def audit(settings: Any, period: str, kind: str, say: Any) -> Any:
        asked.append((kind, period))
        return SimpleNamespace(
            folder=f"{kind}/{period}/V1R1", rows={"payout": 2}, is_same=period != "2026-Q2",
            differences=["payout: the first row"] if period == "2026-Q2" else [],
        )  # fmt: skip

    monkeypatch.setattr(upkeep, "audit", audit)
    monkeypatch.setattr(upkeep, "latest_closed", lambda settings: ("review", "2026-Q3"))
    assert rebuild(params={"kind": "pay", "period": None}, ti=TaskInstance()) == {"payout": 2}
    with pytest.raises(AirflowFailException, match="pay/2026-Q2/V1R1 comes out otherwise"):
        rebuild(params={"kind": "pay", "period": "2026-Q2"}, ti=TaskInstance())
    assert asked == [("review", "2026-Q3"), ("pay", "2026-Q2")]
    assert notes == [
        "closed folders: 2, each as it was closed",
        "rebuilt: review/2026-Q3/V1R1, 2 rows\nit is the same",
        "rebuilt: pay/2026-Q2/V1R1, 2 rows\ndifferences: 1\npayout: the first row",
    ]


def test_documents_of_a_review_are_those_of_the_form(dagbag: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow.sdk.exceptions import AirflowSkipException

    workbook, packs = (callable_of(dagbag, "review_documents", task) for task in ("workbook", "packs"))
    asked: list[Any] = []

    def pull(settings: Any, place: Path, period: str, each: review.Wanted) -> Any:
        asked.append((place.name, period, each))
        return SimpleNamespace(path=Path("hr") / f"{each.language}.xlsx", rows={"summary": 9})

    def pack(settings: Any, place: Path, period: str, each: review.Packs, say: Any) -> Any:
        asked.append((place.name, period, each))
        return SimpleNamespace(members=[1, 2], teams=[1])

    monkeypatch.setattr(review, "pull", pull)
    monkeypatch.setattr(review, "pack", pack)
    form = {"period": "2026-Q3", "version": None, "languages": ["en", "zh"], "pay": True, "packs": False, "pdf": True}
    with pytest.raises(AirflowSkipException, match="no packs"):
        packs(params=form, ti=TaskInstance())
    assert workbook(params=form, ti=TaskInstance()) == ["hr/en.xlsx", "hr/zh.xlsx"]
    counted = packs(params=form | {"packs": True, "version": "V1", "languages": ["zh"]}, ti=TaskInstance())
    assert counted == {"zh": {"members": 2, "teams": 1}}
    copy = ("dealermart.duckdb", "2026-Q3")
    assert asked == [
        (*copy, review.Wanted("en", True)),
        (*copy, review.Wanted("zh", True)),
        (*copy, review.Packs("zh", everybody=True, pdf=True, version="V1")),
    ]


def test_a_pull_takes_its_secrets_from_airflows_connection_and_says_the_date(
    dagbag: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Any, notes: list[str]
) -> None:
    from airflow.sdk import Connection
    from airflow.sdk.exceptions import AirflowNotFoundException, AirflowSkipException

    from dealermart import landing

    pull = callable_of(dagbag, "ingest_zoho", "pull")
    monkeypatch.setenv("DEALERMART_HOME", str(tmp_path))
    for name in ("BASE_URL", "CLIENT_ID"):
        monkeypatch.delenv(f"DEALERMART_CRM_ZOHO_{name}", raising=False)
    seen: list[Any] = []
    monkeypatch.setattr(landing, "company_today", lambda settings: date(2026, 3, 2))

    def fetch(settings: Any, source: str, entry: Any, say: Any, asked: Any) -> Any:
        seen.append((source, entry, asked))
        return SimpleNamespace(fetched=[(date(2026, 3, 2), "a.jsonl"), (date(2026, 3, 2), "b.jsonl")], left=())

    monkeypatch.setattr(landing, "fetch", fetch)

    def none(name: str) -> Any:
        raise AirflowNotFoundException(name)

    monkeypatch.setattr(Connection, "get", none)
    with pytest.raises(AirflowSkipException):
        pull(dag_run=run_for(), ti=TaskInstance())
    known = SimpleNamespace(
        host="https://www.zohoapis.eu", login="id", password="p", extra_dejson={"refresh_token": "r"}
    )
    monkeypatch.setattr(Connection, "get", lambda name: known)
    asked_for = run_for(since="2026-03-01T00:00:00", sweep=True)
    assert pull(dag_run=asked_for, ti=TaskInstance()) == "2026-03-02"
    assert notes == ["received date: 2026-03-02\nfiles of records: 2"]
    entry = {"base_url": "https://www.zohoapis.eu", "client_id": "id", "client_secret": "p", "refresh_token": "r"}
    assert seen == [("zoho", entry, landing.Asked(since=datetime(2026, 3, 1, tzinfo=UTC), sweep=True))]
    ti = SimpleNamespace(xcom_pull=lambda task_ids: "2026-03-02")
    outlets = Outlets()
    callable_of(dagbag, "ingest_zoho", "announce")(dag_run=run_for(), ti=ti, outlet_events=outlets)
    assert [event.keys for event in outlets.values()] == [["2026-03-02"]]
