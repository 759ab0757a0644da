"""What a look finds at a moment, and that it is told once, to those who are named, in their language."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dealermart import alerts, ingest
from dealermart.alerts import tell
from dealermart.base import DealermartError, LockError, Settings, record_run, write_json
from dealermart.cli import main
from dealermart.config import Alerts, load_alerts

MEMBERS = "member,since,name,role,team,manager\nM1,2026-01-01,Ann,sales,,\n"
NOON = dt.datetime(2026, 3, 10, 12)
RULES = Alerts()


def _run(settings: Settings, command: str, started: str, status: str = "done", **facts: Any) -> None:
    """A run as the run log has it, two minutes long."""
    began = dt.datetime.fromisoformat(started)
    run_id = f"{began:%Y%m%dT%H%M%S}000-{command}-{len(list(settings.runs.glob('*'))):06}"
    entry = {
        "run_id": run_id, "command": command, "arguments": {}, "user": "tester", "pid": 2**22 + 1,
        "started_at": began.isoformat(), "ended_at": (began + dt.timedelta(minutes=2)).isoformat(), "status": status,
    }  # fmt: skip
    write_json(settings.runs / f"{run_id}.json", entry | facts)


def _ingest(settings: Settings, started: str, status: str = "done", **facts: Any) -> None:
    arguments = {"source": "mini", "received": started[:10]}
    _run(settings, "ingest", started, status, **{"arguments": arguments} | facts)


def _kinds(settings: Settings, now: dt.datetime = NOON, rules: Alerts = RULES) -> list[str]:
    return [alert.kind for alert in alerts.find(settings, rules, now)]


FAILURES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "failed": ({"status": "failed", "error": "no room", "error_type": "BuildError"}, ["run_failed"]),
    "killed": ({"status": "running", "ended_at": None}, ["run_failed"]),
    "did not balance": ({"status": "failed", "error": "1 of 2", "error_type": "BalanceError"}, ["ledger_unbalanced"]),
    "asked for what cannot be": ({"status": "wrong usage"}, []),
    "lock held for long": ({"status": "failed", "error_type": "LockError"}, ["run_failed"]),
    "went well": ({}, []),
}


@pytest.mark.parametrize("case", FAILURES)
def test_a_run_that_ended_badly(settings: Settings, case: str) -> None:
    facts, kinds = FAILURES[case]
    _run(settings, "erase", "2026-03-10T11:00:00", **{"status": "done"} | facts)
    assert _kinds(settings) == kinds


def test_a_held_lock_is_tried_again_before_anybody_is_told(settings: Settings) -> None:
    _run(settings, "erase", "2026-03-10T11:50:00", "failed", error_type="LockError")
    assert _kinds(settings) == []
    assert _kinds(settings, NOON + dt.timedelta(minutes=30)) == ["run_failed"]


def test_a_later_run_of_the_same_matter_mends_it(settings: Settings) -> None:
    """An ingest is one matter per source and day; a week later nobody is told any more."""
    _ingest(settings, "2026-03-09T11:00:00", "failed", error="x")
    _ingest(settings, "2026-03-10T11:00:00")
    assert _kinds(settings) == ["run_failed"]
    _ingest(settings, "2026-03-09T11:30:00")
    assert _kinds(settings) == []
    _run(settings, "erase", "2026-03-03T11:00:00", "failed", error="x")
    assert _kinds(settings) == []


def test_refused_files_are_named_and_not_what_is_in_them(settings: Settings) -> None:
    refused = [f"sales_{number}.csv: the value 'secret' is none" for number in range(7)]
    _ingest(settings, "2026-03-10T11:00:00", refused=refused, report="reports/r1/index.html")
    (alert,) = alerts.find(settings, RULES, NOON)
    assert alert.kind == "files_refused"
    assert "ingest mini 2026-03-10: 7 files not taken: sales_0.csv, sales_1.csv" in alert.en
    assert "(+2)" in alert.en
    assert "7 个文件被拒收" in alert.zh
    assert "secret" not in alert.en + alert.zh
    assert alert.link == str(settings.home / "reports/r1/index.html")


def test_a_source_of_which_no_ingest_began(settings: Settings) -> None:
    """26 hours are allowed; a source that was never used is none that is missed."""
    assert _kinds(settings) == []
    _ingest(settings, "2026-03-09T10:00:01")
    assert _kinds(settings) == []
    assert _kinds(settings, NOON + dt.timedelta(seconds=2)) == ["run_missing"]
    assert _kinds(settings, NOON + dt.timedelta(seconds=2), Alerts(ingest_every_hours=48)) == []


def test_marts_that_are_not_published_in_time(settings: Settings) -> None:
    _run(settings, "build", "2026-03-10T05:00:00", arguments={"as_of": "2026-01-01T00:00:00"})
    assert _kinds(settings) == []  # the state of a past moment is not published
    _run(settings, "build", "2026-03-10T05:58:00")
    assert _kinds(settings) == []
    late = NOON + dt.timedelta(minutes=1)
    assert _kinds(settings, late) == ["publication_late"]
    _run(settings, "publish", "2026-03-10T05:59:00")  # began before the build had ended: it read the marts before
    assert _kinds(settings, late) == ["publication_late"]
    _run(settings, "publish", "2026-03-10T06:01:00")
    assert _kinds(settings, late) == []


def test_marts_that_are_behind_the_lake(settings: Settings, drop: Callable[..., Path]) -> None:
    ingest.run(settings, "mini", dt.date(2026, 3, 1), drop({"members.csv": MEMBERS}))
    now = dt.datetime.now(dt.UTC).replace(tzinfo=None)
    behind = [alert for alert in alerts.find(settings, RULES, now + dt.timedelta(hours=7)) if "behind" in alert.key]
    assert [alert.kind for alert in behind] == ["publication_late"]
    assert "the marts are behind the lake since" in behind[0].en
    assert not [alert for alert in alerts.find(settings, RULES, now + dt.timedelta(hours=5)) if "behind" in alert.key]


def test_files_that_are_late_by_today_though_no_run_said_so(settings: Settings, drop: Callable[..., Path]) -> None:
    """Members are expected every 100 days by their contract, and the profile can say otherwise."""
    ingest.run(settings, "mini", dt.date(2026, 3, 1), drop({"members.csv": MEMBERS}))

    def late(day: dt.date) -> set[str]:
        found = alerts.find(settings, RULES, dt.datetime.combine(day, dt.time(12)))
        return {alert.key.split()[2] for alert in found if alert.kind == "feed_late"}

    assert "member_file" not in late(dt.date(2026, 6, 9))
    assert "member_file" in late(dt.date(2026, 6, 10))
    profile = settings.sources / "mini" / "source.yml"
    text, place = profile.read_text("utf-8"), "  - name: member_file\n"
    profile.write_text(text.replace(place, f"{place}    expected_days: 3\n"), "utf-8")
    assert "member_file" in late(dt.date(2026, 3, 5))
    profile.write_text(text.replace(place, f"{place}    expected_days: irregular\n"), "utf-8")
    assert "member_file" not in late(dt.date(2027, 3, 1))


def test_a_ledger_that_does_not_add_up(settings: Settings, drop: Callable[..., Path]) -> None:
    ingest.run(settings, "mini", dt.date(2026, 3, 1), drop({"members.csv": MEMBERS}))
    commit = next(settings.log.glob("*.json"))
    found = json.loads(commit.read_text("utf-8"))
    assert not [kind for kind in _kinds(settings) if kind == "ledger_unbalanced"]
    found["deliveries"][0]["accepted"] += 1
    commit.chmod(0o600)
    commit.write_text(json.dumps(found), "utf-8")
    for copy in (settings.home / "cache").rglob("*.*"):
        copy.unlink()
    assert "ledger_unbalanced" in _kinds(settings)


# ---------------------------------------------------------------------------------------------- telling


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> list[tuple[str, str, str]]:
    """Address, title and text of what is sent; an address that holds ``down`` takes nothing."""
    found: list[tuple[str, str, str]] = []

    def stand_in(address: str, title: str, text: str) -> bool:
        if "down" in address:
            return False
        found.append((address, title, text))
        return True

    monkeypatch.setattr(tell, "deliver", stand_in)
    (settings.config / "alerts.yml").write_text(
        "channels: {ops: {}, boss: {language: zh}}\ntell: {run_failed: [ops, boss], run_missing: [ops]}\n", "utf-8"
    )
    return found


TO = {"ops": "ops://", "boss": "boss://"}


def _look(settings: Settings, hours: float = 0, **more: Any) -> tell.Told:
    return alerts.look(settings, now=NOON + dt.timedelta(hours=hours), **{"addresses": TO} | more)


def test_it_is_told_once_in_each_ones_language_and_again_after_a_day(
    settings: Settings, sent: list[tuple[str, str, str]]
) -> None:
    _run(settings, "erase", "2026-03-10T11:00:00", "failed", error="no room")
    assert {name: len(of) for name, of in _look(settings).sent.items()} == {"ops": 1, "boss": 1}
    assert [title for _, title, _ in sent] == ["dealermart: run failed", "dealermart: 运行失败"]
    assert _look(settings, 23.9).sent == {}
    assert set(_look(settings, 24).sent) == {"ops", "boss"}
    assert alerts.last_look(settings) == ((NOON + dt.timedelta(hours=24)).isoformat(timespec="seconds"), 1)


def test_what_was_mended_is_news_when_it_comes_back(settings: Settings, sent: list[tuple[str, str, str]]) -> None:
    _run(settings, "erase", "2026-03-10T11:00:00", "failed", error="no room")
    _look(settings)
    _run(settings, "erase", "2026-03-10T12:00:00")
    assert _look(settings, 1).alerts == []
    _run(settings, "erase", "2026-03-10T13:00:00", "failed", error="no room")
    assert set(_look(settings, 2).sent) == {"ops", "boss"}


def test_a_channel_that_is_down_is_tried_again_and_the_others_are_told(
    settings: Settings, sent: list[tuple[str, str, str]]
) -> None:
    _run(settings, "erase", "2026-03-10T11:00:00", "failed", error="no room")
    told = _look(settings, addresses={"ops": "down://", "boss": "boss://"})
    assert (set(told.sent), told.failed) == ({"boss"}, ["ops"])
    with pytest.raises(DealermartError, match="not told: ops did not take the message"):
        told.raise_for_failed()
    assert set(_look(settings, 0.25).sent) == {"ops"}


def test_who_has_no_address_is_named_with_the_way_to_give_one(
    settings: Settings, sent: list[tuple[str, str, str]]
) -> None:
    _run(settings, "erase", "2026-03-10T11:00:00", "failed", error="no room")
    words: list[str] = []
    told = _look(settings, addresses={"ops": "ops://"}, say=words.append)
    assert (set(told.sent), told.without_address) == ({"ops"}, ["boss"])
    assert "DEALERMART_ALERT_BOSS" in words[0]


def test_airflow_and_the_run_log_tell_of_a_failure_once(
    settings: Settings, sent: list[tuple[str, str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CTX_DAG_ID", "publish")
    monkeypatch.setenv("AIRFLOW_CTX_DAG_RUN_ID", "r1")
    with pytest.raises(DealermartError, match="no room"), record_run(settings, "publish"):
        raise DealermartError("no room")
    now = dt.datetime.now(dt.UTC).replace(tzinfo=None)
    red = alerts.dag_failed("publish", "r1", "publish", "http://x")
    killed = alerts.dag_failed("publish", "r2", "publish", "http://x")
    first = alerts.look(settings, [red, killed], TO, now)
    assert [alert.key for alert in first.sent["ops"]] == ["airflow publish r1", "airflow publish r2"]
    assert "no room" in first.sent["ops"][0].en
    assert alerts.look(settings, [red, killed], TO, now).sent == {}
    assert alerts.look(settings, (), TO, now + dt.timedelta(hours=1)).sent == {}


APPROVAL = alerts.approval_waits("close_period", "r1", "approve", "closing pay of 2026-Q1", "http://x")


@pytest.fixture
def all_to_ops(sent: list[tuple[str, str, str]], settings: Settings) -> None:
    (settings.config / "alerts.yml").write_text(
        "channels: {ops: {}, boss: {}}\ntell: {run_failed: [ops, boss], approval_waits: [ops]}\n", "utf-8"
    )


GIVEN = {"red run": alerts.dag_failed("publish", "r1", "publish", "http://x"), "approval": APPROVAL}


@pytest.mark.usefixtures("all_to_ops")
@pytest.mark.parametrize("case", GIVEN)
def test_what_airflow_gave_to_a_channel_that_was_down_goes_out_at_the_next_look(settings: Settings, case: str) -> None:
    """Boss took the red run at once and hears of it no second time, not even after a day."""
    alert = GIVEN[case]
    told = _look(settings, more=[alert], addresses={"ops": "down://", "boss": "boss://"})
    assert told.failed == ["ops"]
    assert _look(settings, 0.25, addresses={"ops": "down://", "boss": "boss://"}).failed == ["ops"]
    assert _look(settings, 25).sent == {"ops": [alert]}
    assert _look(settings, 25.25).sent == {}


@pytest.mark.usefixtures("all_to_ops")
def test_an_event_is_told_once_and_an_approval_again_each_day_until_it_is_over(settings: Settings) -> None:
    _look(settings, more=GIVEN.values())
    assert [_look(settings, hours).sent for hours in (23.9, 24, 47.9)] == [{}, {"ops": [APPROVAL]}, {}]
    assert alerts.last_look(settings) == ((NOON + dt.timedelta(hours=47.9)).isoformat(timespec="seconds"), 1)
    assert alerts.kept(settings, NOON) == [APPROVAL]
    assert _look(settings, 48, over=[APPROVAL.key]).alerts == []
    assert _look(settings, 96).sent == {}
    assert _look(settings, 97, more=[APPROVAL]).sent == {"ops": [APPROVAL]}, "it waits anew"


@pytest.mark.usefixtures("all_to_ops")
def test_nobody_is_told_for_ever(settings: Settings) -> None:
    """An event that no channel takes goes after a week, an approval that nobody answers after a month."""
    nobody = {"ops": "down://", "boss": "down://"}
    _look(settings, more=GIVEN.values(), addresses=nobody)
    assert len(_look(settings, 7 * 24, addresses=nobody).alerts) == 2
    assert _look(settings, 7 * 24 + 1, addresses=nobody).alerts == [APPROVAL]
    assert _look(settings, 30 * 24, addresses=nobody).alerts == [APPROVAL]
    assert _look(settings, 30 * 24 + 1, addresses=nobody).alerts == []
    assert list((settings.home / "alerts" / "kept").iterdir()) == []


@pytest.mark.usefixtures("all_to_ops")
def test_what_airflow_gives_is_kept_when_nobody_can_look(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """The alerts file is broken, or somebody else is telling for too long."""
    from dealermart.base import alone

    rules = settings.config / "alerts.yml"
    right = rules.read_text("utf-8")
    rules.write_text("channels: [", "utf-8")
    with pytest.raises(DealermartError):
        _look(settings, more=[APPROVAL])
    rules.write_text(right, "utf-8")
    monkeypatch.setattr(tell, "_PATIENCE_SECONDS", 0.0)
    with alone(settings.home / "alerts" / ".lock", LockError("held")), pytest.raises(LockError):
        _look(settings, 0.1, more=[GIVEN["red run"]])
    assert [alert.kind for alert in _look(settings, 0.25).sent["ops"]] == ["approval_waits", "run_failed"]


def test_what_the_run_log_knows_is_told_as_long_as_it_holds(
    settings: Settings, sent: list[tuple[str, str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The red run of Airflow is the failed run of the log; when that is mended, there is nothing to tell late."""
    _run(settings, "publish", "2026-03-10T11:00:00", "failed", error="no room", scheduler="publish r1")
    down = {"ops": "down://", "boss": "down://"}
    assert len(_look(settings, more=[GIVEN["red run"]], addresses=down).alerts) == 1
    _run(settings, "publish", "2026-03-10T11:30:00")
    assert _look(settings, 0.25).alerts == []


def test_a_kept_file_that_cannot_be_read_is_passed_over(settings: Settings, sent: list[tuple[str, str, str]]) -> None:
    _look(settings, more=[APPROVAL])
    folder = settings.home / "alerts" / "kept"
    for name, damage in (("a", ""), ("b", "[]"), ("c", '{"at": "2026-03-10T12:00:00", "kind": "of another version"}')):
        (folder / f"{name}.json").write_text(damage, "utf-8")
    assert _look(settings, 1).alerts == [APPROVAL]


def test_a_damaged_memory_tells_twice_rather_than_never(settings: Settings, sent: list[tuple[str, str, str]]) -> None:
    _run(settings, "erase", "2026-03-10T11:00:00", "failed", error="no room")
    _look(settings)
    for damage in ("", "[]", '{"told": {"ops": {"x": "yesterday"}}}', '{"told": []}'):
        (settings.home / "alerts" / "told.json").write_text(damage, "utf-8")
        assert set(_look(settings).sent) == {"ops", "boss"}


def test_a_log_that_cannot_be_read_does_not_keep_airflow_from_telling(
    settings: Settings, sent: list[tuple[str, str, str]]
) -> None:
    settings.log.mkdir(parents=True)
    (settings.log / "00000001.json").write_text("{", "utf-8")
    with pytest.raises(DealermartError):
        _look(settings, more=[alerts.dag_failed("publish", "r1", "publish", "")])
    assert [title for _, title, _ in sent] == ["dealermart: run failed", "dealermart: 运行失败"]


def test_two_who_tell_at_the_same_time_wait_for_each_other(
    settings: Settings, sent: list[tuple[str, str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    from dealermart.base import alone

    monkeypatch.setattr(tell, "_PATIENCE_SECONDS", 0.0)
    with alone(settings.home / "alerts" / ".lock", LockError("held")):
        with pytest.raises(LockError, match="somebody else is telling alerts"):
            _look(settings)


def test_the_command_shows_and_sends(
    settings: Settings,
    sent: list[tuple[str, str, str]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("DEALERMART_HOME", str(settings.home))
    monkeypatch.setenv("DEALERMART_CONFIG", str(settings.config))
    monkeypatch.setenv("DEALERMART_ALERT_OPS", "ops://")
    assert main(["alerts"]) == 0
    assert capsys.readouterr().out == "nothing to tell\n"
    now = dt.datetime.now(dt.UTC).replace(tzinfo=None)
    _run(settings, "erase", now.isoformat(timespec="seconds"), "failed", error="no room")
    assert main(["alerts"]) == 3
    assert sent == []
    assert capsys.readouterr().err.startswith("nobody was told so far")
    assert main(["alerts", "--send"]) == 3
    assert capsys.readouterr().out.startswith("told to ops: 1\nrun_failed: erase failed at")
    assert main(["alerts"]) == 3
    assert capsys.readouterr().err.startswith("told last at ")
    assert [address for address, _, _ in sent] == ["ops://"]
    monkeypatch.setenv("DEALERMART_ALERT_OPS", "down://")
    (settings.home / "alerts" / "told.json").unlink()
    assert main(["alerts", "--send"]) == 1


def test_a_channel_that_is_not_described_is_refused_with_its_line(settings: Settings) -> None:
    (settings.config / "alerts.yml").write_text("tell: {run_failed: [ops]}\n", "utf-8")
    with pytest.raises(DealermartError, match="tell names ops, which is none of channels"):
        load_alerts(settings)


def test_the_project_tells_of_everything_there_is() -> None:
    from dealermart.config import ALERT_KINDS

    own = load_alerts(Settings(home=Path("/nowhere")))
    assert set(own.tell) == set(ALERT_KINDS)
    assert set(own.channels) == {"operations"}
