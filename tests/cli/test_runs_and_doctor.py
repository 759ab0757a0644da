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
from dealermart.base import DataError, Settings, UsageError, read_runs, record_run
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
    with pytest.raises(UsageError):
        ingest.run(home, "mini", dt.date(2026, 3, 3), drop({}))
    entry, failed = read_runs(home)
    assert (failed["status"], "holds no file" in failed["error"]) == ("wrong usage", True)
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
    assert [(one.name, one.text) for one in upkeep.examine(home) if one.todo] == [("lake", "nothing was ingested yet")]
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


SALES = "doc,line,kind,dealer,product,qty,net,cost,day\n" + "".join(
    f"A{number},1,invoice,D1,P1,2,{net},60,{day}\n"
    for number, (net, day) in enumerate(
        [("100", "2026-03-01"), ("70", "2026-03-01"), ("many", "2026-03-01"), ("few", "2026-03-01"), ("1", "soon")]
        + [("9", "2026-03-01")] * 5
    )
)


@pytest.fixture
def troubled(home: Settings, drop: Callable[..., Path]) -> Settings:
    """Two runs. In the first nothing is taken: a file without its columns and one that nobody expects. In the second
    a file has ten rows: three do not map, one names no dealer, one a negative line that a rule holds back."""
    first = {"sales_bad.csv": "doc,line\nA1,1\n", "notes.txt": "hello"}
    ingest.run(home, "mini", dt.date(2026, 3, 2), drop(first))
    sales = SALES.replace("A8,1,invoice,D1", "A8,1,invoice,").replace("A9,1,", "A9,-1,")
    ingest.run(home, "mini", dt.date(2026, 3, 3), drop({"dealers.csv": DEALERS, "sales.csv": sales}))
    return home


def test_runs_say_what_was_refused_and_count_as_the_report_and_the_quarantine_do(
    troubled: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    def shown(*arguments: str) -> str:
        assert main([*arguments]) == 0
        return capsys.readouterr().out

    said = shown("runs")
    lines = {line.split("received=")[1].split()[0]: line.split() for line in said.splitlines() if "received=" in line}
    counts = {day: line[line.index("done") + 2 : -1] for day, line in lines.items()}
    # files refused, accepted, in quarantine, taken up: five sales and a dealer are good
    assert counts == {"2026-03-02": ["2", "0", "0", "0"], "2026-03-03": ["0", "6", "5", "0"]}
    assert "  sales_bad.csv:1: " in said and "  notes.txt: no entry" in said
    assert f"{troubled.reports}/" in said
    page = (troubled.reports / read_runs(troubled)[1]["run_id"] / "index.html").read_text("utf-8")
    assert "5 rows in quarantine" in page
    assert "5 rows: 5 open." in shown("quarantine", "list")


def test_doctor_says_what_waits_for_people(
    troubled: Settings, drop: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    def told() -> dict[str, str]:
        return {one.name: one.text for one in upkeep.examine(troubled) if one.todo}

    assert told() == {
        "refused files": "2 not taken so far: sales_bad.csv (mini, received 2026-03-02), "
        "notes.txt (mini, received 2026-03-02)",
        "quarantine": "5 rows are open",
    }
    ingest.run(
        troubled,
        "mini",
        dt.date(2026, 3, 2),
        drop({"sales_bad.csv": SALES.splitlines()[0] + "\nB1,1,invoice,D1,P1,1,1,1,2026-03-01\n"}),
    )
    assert told()["refused files"] == "1 not taken so far: notes.txt (mini, received 2026-03-02)"
    profile = troubled.config / "sources" / "mini" / "source.yml"
    profile.write_text(profile.read_text("utf-8") + "ignore:\n  - {pattern: '*.txt', reason: notes}\n", "utf-8")
    main(["quarantine", "reject", "--feed", "sales", "--by", "Chen", "--reason", "test entries"])
    assert told() == {}
    capsys.readouterr()
    assert main(["doctor", "--deep"]) == 1
    out = capsys.readouterr().out
    assert [line for line in out.splitlines() if line.startswith(("FAIL", "TODO"))] == ["FAIL marts: behind the lake"]


def test_a_refused_use_of_a_file_is_told_though_another_was_taken(home: Settings, drop: Callable[..., Path]) -> None:
    mini = home.config / "sources" / "mini"
    entry = '  - {name: owner_file, feed: team_members, map: owners.sql, pattern: "dealers*.csv", format: csv, required_columns: [owner]}\n'
    with (mini / "source.yml").open("a", encoding="utf-8") as file:
        file.write(entry)
    select = "select _delivery_id, _row_number, owner as member_id, since as valid_from, owner as member_name, 'sales' as role\nfrom owner_file\n"
    (mini / "owners.sql").write_text(select, "utf-8")

    def refused() -> list[str]:
        return [one.text for one in upkeep.examine(home) if one.name == "refused files"]

    folder = drop({"dealers.csv": DEALERS})
    ingest.run(home, "mini", dt.date(2026, 3, 2), folder)
    assert refused() == ["1 not taken so far: dealers.csv (mini, received 2026-03-02)"]
    profile = (mini / "source.yml").read_text("utf-8")
    (mini / "source.yml").write_text(profile.replace("[owner]", "[city]"), "utf-8")
    (mini / "owners.sql").write_text(select.replace("owner as", "city as"), "utf-8")
    ingest.run(home, "mini", dt.date(2026, 3, 2), folder)
    assert refused() == []


def test_a_mistyped_command_is_no_fault_of_the_house(troubled: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    said = ["--by", "Chen", "--reason", "r"]
    for words in (
        ["ingest", "--source", "mimi", "--received", "2026-03-02"],
        ["ingest", "--source", "mini", "--received", "2026-03-02", "--drop", "no-such-folder"],
        ["ingest", "--source", "mini", "--received", "2999-03-02"],
        ["ingest", "--source", "mini", "--received", "2026-03-02", "--override", "nothing", *said],
        ["quarantine", "release", "--feed", "assignments", *said],
        ["build", "--period", "2026-03"],
        ["build", "--as-of", "2020-01-01"],
        ["erase", "--person", "M999", *said],
    ):
        assert main(words) == 1, words
        assert "mend: " in capsys.readouterr().err, words
    assert [run["status"] for run in read_runs(troubled)[2:]] == ["wrong usage"] * 8
    assert [one.name for one in upkeep.examine(troubled) if not one.ok] == ["marts"]
    (troubled.config / "company.yml").rename(troubled.config / "company.old")
    assert main(["build"]) == 1  # that is a fault of the house
    assert "last build" in [one.name for one in upkeep.examine(troubled) if not one.ok]


def test_runs_are_shown_whatever_a_command_counted(troubled: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    upkeep.rebuild(troubled)
    with record_run(troubled, "rebuild") as old:
        old.note(commits=2, deliveries=3, rows=6)  # as it was written before
    assert main(["runs"]) == 0
    assert main(["runs", "--command", "rebuild"]) == 0
    capsys.readouterr()
    assert main(["runs", "--command", "erase"]) == 0
    assert capsys.readouterr().out == "no runs of erase; there are runs of: ingest, rebuild\n"
    broken = next(troubled.runs.glob("*ingest*.json"))
    broken.write_text(json.dumps({"status": "done", "command": "ingest", "pid": 1}))
    assert main(["runs", "--json"]) == 0
    assert "unreadable" in capsys.readouterr().out


def test_a_fresh_home_says_that_nothing_came_yet(home: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    nothing, mend = "nothing was ingested yet", "dealermart ingest --source"
    for words, code in (("doctor", 3), ("report", 0), ("report --all", 0), ("quarantine show", 1), ("build", 1)):
        assert main(words.split()) == code, words
        said = "".join(capsys.readouterr())
        assert nothing in said and mend in said, words
        assert "damaged" not in said, words
    assert main(["runs", "--command", "fetch"]) == 0
    assert "build" in capsys.readouterr().out


def test_where_every_file_was_refused_build_says_so(
    home: Settings, drop: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    ingest.run(home, "mini", dt.date(2026, 3, 2), drop({"notes.txt": "hello"}))
    assert main(["build"]) == 1
    assert "every file that came so far was refused" in capsys.readouterr().err
    assert main(["quarantine", "list"]) == 0
    assert capsys.readouterr().out == "no such rows\n"


def test_who_reads_the_beginning_only_sees_no_complaint(troubled: Settings) -> None:
    command = f"{sys.executable} -m dealermart.cli runs --json --last 200 | head -1; echo ${{PIPESTATUS[0]}}"
    # More than a pipe holds, so that the writer finds it closed.
    for number in range(200):
        with record_run(troubled, "fetch", source="x" * 500, number=number):
            pass
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("[\n141\n", "")
