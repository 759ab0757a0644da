"""The run log and the doctor, as people use them."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from dealermart import ingest, upkeep
from dealermart.base import DataError, Settings, read_runs, record_run
from dealermart.base.runlog import Entry
from dealermart.cli import main

DEALERS = "dealer,since,name,region,city\nD1,2026-01-01,甲,East,上海\n"


@pytest.fixture
def home(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("DEALERMART_HOME", str(settings.home))
    monkeypatch.setenv("DEALERMART_CONFIG", str(settings.config))
    monkeypatch.setenv("DEALERMART_USER", "tester")
    return settings


def test_the_log_says_who_what_when_with_which_code_and_counts(
    home: Settings, drop: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    ingest.run(home, "mini", dt.date(2026, 3, 2), drop({"dealers.csv": DEALERS}))
    with pytest.raises(DataError):
        ingest.run(home, "mini", dt.date(2026, 3, 3), drop({}))
    entry, failed = read_runs(home)
    assert (failed["status"], "holds no file" in failed["error"]) == ("failed", True)
    assert (entry["command"], entry["user"], entry["status"]) == ("ingest", "tester", "done")
    assert entry["arguments"]["received"] == "2026-03-02"
    assert entry["rows"]["accepted"] == 1
    assert entry["code_version"].startswith("0.")
    assert main(["runs", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["run_id"] == entry["run_id"]
    failed_log = home.runs / f"{failed['run_id']}.json"
    failed_log.write_text(failed_log.read_text("utf-8")[:50], "utf-8")
    assert [one["status"] for one in read_runs(home)] == ["done", "unreadable"], "the others can still be read"
    old = home.runs / "20260301T100001-build-cccccc.json"  # before names told milliseconds
    old.write_text("{", "utf-8")
    found = [(one["status"], one["started_at"][:19]) for one in read_runs(home)]
    assert (found[0], len(found)) == (("unreadable", "2026-03-01T10:00:01"), 3)
    assert main(["runs", "--sql", "select count(*) from runs"]) == 0
    assert capsys.readouterr().out.split()[-1] == "3"
    old.unlink()
    failed_log.unlink()
    assert main(["runs"]) == 0
    assert "received=2026-03-02" in capsys.readouterr().out
    assert main(["runs", "--sql", "select status, cast(\"rows\"->>'accepted' as integer) as n from runs"]) == 0
    assert capsys.readouterr().out.split() == ["status", "n", "------", "-", "done", "1"]
    assert main(["runs", "--sql", "select nothing from runs"]) == 1


def test_failed_and_killed_runs_are_told_apart(home: Settings) -> None:
    with pytest.raises(DataError), record_run(home, "ingest"):
        raise DataError("the file is empty", where="sales.csv", mend="send it again")
    with pytest.raises(ValueError, match="secret"), record_run(home, "build"):
        raise ValueError("secret 12345")
    process = subprocess.Popen([sys.executable, "-c", "pass"])
    process.wait()
    Entry(home, "publish", {})._entry["pid"] = process.pid
    for path in home.runs.glob("*publish*"):
        path.write_text(path.read_text().replace(f'"pid": {os.getpid()}', f'"pid": {process.pid}'))
    failed, broken, killed = sorted(
        read_runs(home), key=lambda one: ["ingest", "build", "publish"].index(one["command"])
    )
    assert failed["status"] == "failed" and "sales.csv: the file is empty" in failed["error"]
    assert broken["error"] == "unforeseen ValueError", "unforeseen texts can quote data"
    assert killed["status"] == "killed"


def test_a_healthy_installation_has_no_finding_but_marts_behind(home: Settings, drop: Callable[..., Path]) -> None:
    assert [one.name for one in upkeep.examine(home) if not one.ok] == []
    ingest.run(home, "mini", dt.date(2026, 3, 2), drop({"dealers.csv": DEALERS}))
    assert [(one.name, one.text) for one in upkeep.examine(home) if not one.ok] == [("marts", "behind the lake")]


@pytest.mark.parametrize(
    ("spoil", "name", "text"),
    [
        pytest.param(
            lambda s: next(s.lake.rglob("*.parquet")).unlink(),
            "lake",
            "1 files of the log are gone",
            id="lake file gone",
        ),
        pytest.param(
            lambda s: (s.config / "feeds" / "sales.yml").write_text("feed: sales\n"),
            "config",
            "field",
            id="broken contract",
        ),
        pytest.param(lambda s: (s.config / "company.yml").unlink(), "config", "does not exist", id="no company file"),
    ],
)
def test_what_is_wrong_is_found_with_a_mend(
    home: Settings,
    drop: Callable[..., Path],
    capsys: pytest.CaptureFixture[str],
    spoil: Callable[[Settings], object],
    name: str,
    text: str,
) -> None:
    ingest.run(home, "mini", dt.date(2026, 3, 2), drop({"dealers.csv": DEALERS}))
    spoil(home)
    found = [one for one in upkeep.examine(home) if one.name == name and not one.ok]
    assert len(found) == 1
    assert text in found[0].text
    assert found[0].mend
    assert main(["doctor"]) == 1
    assert f"FAIL {name}" in capsys.readouterr().out
