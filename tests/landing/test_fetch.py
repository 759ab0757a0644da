"""Fetching from a folder: what is new comes once, whole, under the date that it belongs to; the place is left as it is."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from dealermart import ingest, landing
from dealermart.base import REPO, ConfigError, FetchError, LockError, Settings, alone, storage_options
from dealermart.cli import main
from dealermart.landing.places import Folder, Found

from .conftest import NOW, TODAY

pytestmark = pytest.mark.usefixtures("now")

GOOD = b"doc,line,kind,dealer,product,qty,net,cost,day\nA1,1,invoice,D1,P1,2,100.50,60,2026-03-01\n"
LONG_AGO = 1_000_000_000
Inbox = Callable[[], dict[str, bytes]]
From = Callable[..., None]


@pytest.fixture
def place(tmp_path: Path, comes_from: From) -> Path:
    folder = tmp_path / "exports of ERP"
    folder.mkdir()
    comes_from(folder.as_uri())
    return folder


def put(path: Path, content: bytes, written: float = LONG_AGO) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (written, written))


def test_what_is_new_comes_once_and_dated_folders_say_the_date(settings: Settings, place: Path, inbox: Inbox) -> None:
    put(place / "sales.csv", b"1")
    put(place / "2026-01-31" / "deep" / "sales.csv", b"22")
    put(place / "2026-02-30" / "sales.csv", b"333")  # no date
    put(place / ".staging" / "sales.csv", b"no")
    put(place / "sales.csv.part", b"part")
    before = {path: path.stat().st_mtime_ns for path in place.rglob("*")}
    result = landing.fetch(settings, "mini")
    expected = {
        "2026-03-03/sales.csv": b"1",
        "2026-03-03/sales.csv.part": b"part",
        "2026-01-31/deep/sales.csv": b"22",
        "2026-03-03/2026-02-30/sales.csv": b"333",
    }
    assert inbox() == expected
    assert sorted(f"{received}/{name}" for received, name in result.fetched) == sorted(expected)
    assert result.left == ()
    again = landing.fetch(settings, "mini")
    assert (again.fetched, again.left) == ((), ())
    assert {path: path.stat().st_mtime_ns for path in place.rglob("*")} == before


def test_a_new_version_comes_and_one_that_waits_is_not_overwritten(
    settings: Settings, place: Path, inbox: Inbox
) -> None:
    put(place / "sales.csv", GOOD)
    landing.fetch(settings, "mini")
    put(place / "sales.csv", GOOD.replace(b"A1", b"A2"), LONG_AGO + 1)
    assert landing.fetch(settings, "mini").left == (
        "sales.csv: an earlier sales.csv of 2026-03-03 still waits to be ingested; left for the next time",
    )
    assert inbox() == {"2026-03-03/sales.csv": GOOD}
    assert ingest.run(settings, "mini", TODAY).committed
    assert landing.fetch(settings, "mini").fetched == ((TODAY, "sales.csv"),)
    assert inbox() == {"2026-03-03/sales.csv": GOOD.replace(b"A1", b"A2")}
    assert ingest.run(settings, "mini", TODAY).committed


def test_what_may_be_half_there_is_left(
    settings: Settings, place: Path, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = NOW.replace(tzinfo=dt.UTC).timestamp()
    put(place / "just.csv", b"1", now - 59)
    put(place / "before.csv", b"2", now - 61)
    assert landing.fetch(settings, "mini").left == (
        "just.csv: written to less than 60 seconds ago; left for the next time",
    )
    assert inbox() == {"2026-03-03/before.csv": b"2"}
    put(place / "just.csv", b"1")
    reading = Folder.read

    def grow(self: Folder, path: str) -> object:
        yield from reading(self, path)
        put(self.root / path, b"12", LONG_AGO + 1)

    with monkeypatch.context() as patch:
        patch.setattr(Folder, "read", grow)
        assert "written to while it was fetched" in landing.fetch(settings, "mini").left[0]
    assert "2026-03-03/just.csv" not in inbox()
    landing.fetch(settings, "mini")
    assert inbox()["2026-03-03/just.csv"] == b"12"


def test_links_are_never_followed(settings: Settings, place: Path, inbox: Inbox, tmp_path: Path) -> None:
    put(tmp_path / "secret" / "sales.csv", b"secret")
    (place / "link.csv").symlink_to(tmp_path / "secret" / "sales.csv")
    (place / "folder").symlink_to(tmp_path / "secret", target_is_directory=True)
    put(place / "sales.csv", b"1")
    landing.fetch(settings, "mini")
    assert inbox() == {"2026-03-03/sales.csv": b"1"}


class Hostile(Folder):
    """A storage whose keys are not paths of ours."""

    names = ("../../evil.csv", "/etc/evil.csv", "2026-03-01/../../evil.csv", "a\x1b.csv")

    def all(self) -> list[Found]:
        return [Found(name, 1, "1", None) for name in self.names]


def test_names_that_lead_out_are_named_and_not_fetched(
    settings: Settings, place: Path, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dealermart.landing.fetching.place_of", lambda *_: Hostile(place))
    result = landing.fetch(settings, "mini")
    assert [text.rpartition(": ")[2] for text in result.left] == [
        "its name leads out of the folder or cannot be written; it is not fetched"
    ] * len(Hostile.names)
    assert inbox() == {}


def test_a_fetch_that_was_killed_goes_on_where_it_was(
    settings: Settings, place: Path, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in "abc":
        put(place / f"{name}.csv", name.encode())
    reading, read = Folder.read, []

    def die(self: Folder, path: str) -> object:
        read.append(path)
        yield from reading(self, path)
        if read == ["a.csv", "b.csv"]:
            raise KeyboardInterrupt

    monkeypatch.setattr(Folder, "read", die)
    with pytest.raises(KeyboardInterrupt):
        landing.fetch(settings, "mini")
    assert inbox() == {"2026-03-03/a.csv": b"a"}
    memory = settings.arrivals / "mini.fetched.jsonl"
    memory.write_text(memory.read_text("utf-8") + '\n{"path": "b.c', "utf-8")  # cut off in the middle of a line
    landing.fetch(settings, "mini")
    assert read == ["a.csv", "b.csv", "b.csv", "c.csv"]
    assert inbox() == {f"2026-03-03/{name}.csv": name.encode() for name in "abc"}


def test_two_at_once_do_not_fetch_twice(settings: Settings, place: Path) -> None:
    put(place / "a.csv", b"a")
    with (
        alone(settings.arrivals / "mini.lock", LockError("busy")),
        pytest.raises(LockError, match="mini is being fetched"),
    ):
        landing.fetch(settings, "mini")
    assert len(landing.fetch(settings, "mini").fetched) == 1


def test_what_the_profile_ignores_is_not_fetched(settings: Settings, place: Path, config: Path, inbox: Inbox) -> None:
    profile = config / "sources" / "mini" / "source.yml"
    text = profile.read_text("utf-8") + 'ignore: [{pattern: "*.bak", reason: not for us}]\n'
    profile.write_text(text, "utf-8")
    put(place / "sales.bak", b"1")
    put(place / "sales.csv", b"2")
    assert landing.fetch(settings, "mini").left == ()
    assert inbox() == {"2026-03-03/sales.csv": b"2"}


def test_without_a_place_what_lies_loose_in_the_inbox_is_received_today(settings: Settings, inbox: Inbox) -> None:
    root = settings.inbox / "mini"
    put(root / "sales.csv", b"1")
    put(root / "from ERP" / "sales.csv", b"2")
    put(root / "2026-01-31" / "sales.csv", b"3")
    put(root / "just.csv", b"4", 4_000_000_000)
    result = landing.fetch(settings, "mini")
    assert inbox() == {
        "2026-03-03/sales.csv": b"1",
        "2026-03-03/from ERP/sales.csv": b"2",
        "2026-01-31/sales.csv": b"3",
        "just.csv": b"4",
    }
    assert result.left == ("just.csv: written to less than 30 seconds ago; left for the next time",)
    put(root / "sales.csv", b"5")
    assert "there is one of this name for 2026-03-03 already" in landing.fetch(settings, "mini").left[1]


@pytest.mark.parametrize(
    ("url", "what"),
    [
        ("ftp://host/folder", "'ftp' is no storage that is known"),
        ("/srv/exports", "'' is no storage that is known"),
        ("sftp://me:secret@host/folder", "a password stands in the URL"),
        ("file://srv/exports", "three slashes"),
        ("s3:///folder", "the bucket or host is missing"),
    ],
)
def test_a_place_that_cannot_be_is_refused_with_its_line(
    settings: Settings, comes_from: From, url: str, what: str
) -> None:
    comes_from(url)
    with pytest.raises(ConfigError, match=what) as caught:
        landing.fetch(settings, "mini")
    assert "field from.url" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_missing_folder_may_come_back(settings: Settings, place: Path) -> None:
    place.rmdir()
    with pytest.raises(FetchError, match="the folder does not exist") as caught:
        landing.fetch(settings, "mini")
    assert caught.value.retryable


def test_secrets_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert storage_options("mini") == {}
    monkeypatch.setenv("DEALERMART_STORAGE_MINI", '{"username": "u", "password": "4711secret"}')
    assert storage_options("mini") == {"username": "u", "password": "4711secret"}
    for broken in ("4711secret", '"4711secret"'):
        monkeypatch.setenv("DEALERMART_STORAGE_MINI", broken)
        with pytest.raises(ConfigError, match="DEALERMART_STORAGE_MINI is not a JSON object") as caught:
            storage_options("mini")
        assert "4711" not in str(caught.value)


def test_the_command_says_what_came_and_what_to_run(
    settings: Settings, place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DEALERMART_HOME", str(settings.home))
    monkeypatch.setenv("DEALERMART_CONFIG", str(settings.config))
    put(place / "sales.csv", GOOD)
    put(place / "later.csv", GOOD, 4_000_000_000)
    assert main(["fetch", "--source", "mini"]) == 0
    said = capsys.readouterr()
    assert said.out == (
        "mini: 1 files fetched, 1 left for the next time\nnow: dealermart ingest --source mini --received 2026-03-03\n"
    )
    assert "later.csv: written to less than 60 seconds ago" in said.err
    entry = json.loads(next(settings.runs.glob("*-fetch-*.json")).read_text("utf-8"))
    assert (entry["status"], entry["files"]) == ("done", 1)


def test_a_missing_package_is_named_with_the_way_to_get_it(settings: Settings, comes_from: From) -> None:
    comes_from("s3://bucket/folder")
    code = """
import sys
sys.modules["s3fs"] = None
from dealermart import landing
from dealermart.base import load_settings
try:
    landing.fetch(load_settings(), "mini")
except Exception as error:
    print(error)
"""
    variables = {"DEALERMART_HOME": str(settings.home), "DEALERMART_CONFIG": str(settings.config)}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **variables, "PYTHONPATH": str(REPO / "src")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "s3://bucket/folder: s3 needs the package s3fs\n  mend: run `make remote`\n"
