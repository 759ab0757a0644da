"""The demonstration, up to the scheduler: what it takes for data, and what it may remove."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest

from dealermart import demo
from dealermart.base import REPO, ConfigError, DataError, DealermartError, Settings, record_run
from dealermart.demo.api import DagRun
from dealermart.demo.demo import MARKER, _did, _fresh, partitions

DAY = dt.date(2026, 3, 2)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


def test_folders_named_by_date_are_the_received_dates(data: Path) -> None:
    for name in ("2026-03-09", "2026-03-02", "notes"):
        (data / name).mkdir()
    (data / "truth.json").write_text("{}")
    assert partitions(data, None) == {DAY: data / "2026-03-02", dt.date(2026, 3, 9): data / "2026-03-09"}


def test_other_folders_are_one_date(data: Path) -> None:
    (data / "dw").mkdir()
    (data / "dw" / "sales.csv").write_text("x")
    assert partitions(data, DAY) == {DAY: data}


NO_DATA = {
    "no folder": ("nowhere", None, "does not exist"),
    "empty": ("empty", DAY, "holds no file"),
    "folders without files": ("hollow", DAY, "holds no file"),
    "nobody says when": ("files", None, "nothing says when"),
    "a date in another format": ("20260302", None, "nothing says when"),
}


@pytest.mark.parametrize("case", NO_DATA)
def test_data_that_cannot_be_taken(data: Path, case: str) -> None:
    name, received, what = NO_DATA[case]
    (data / "empty").mkdir()
    (data / "hollow" / "inner").mkdir(parents=True)
    for folder in ("files", "20260302"):
        (data / folder).mkdir()
        (data / folder / "sales.csv").write_text("x")
    with pytest.raises(DataError, match=what) as error:
        partitions(data / name, received)
    assert error.value.mend


def test_state_is_kept_apart_by_source_and_from_real_work(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    homes = {source: demo.settings_for(settings, source) for source in ("sample", "adventureworks")}
    assert {one.home for one in homes.values()} == {tmp_path / "demo" / "sample", tmp_path / "demo" / "adventureworks"}
    assert homes["sample"].company == "company.yml"
    assert homes["adventureworks"].company == "company.adventureworks.yml"
    assert (REPO / "config" / "company.adventureworks.yml").is_file()


def test_only_what_a_demonstration_made_is_removed(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home")
    _fresh(settings, "sample")
    (settings.home / "left.txt").write_text("x")
    _fresh(settings, "sample")
    assert [path.name for path in settings.home.iterdir()] == [MARKER]
    (settings.home / MARKER).unlink()
    (settings.home / "work.txt").write_text("precious")
    with pytest.raises(DealermartError, match="holds something else"):
        _fresh(settings, "sample")
    assert (settings.home / "work.txt").read_text() == "precious"


def test_a_source_without_a_profile_is_named_with_those_that_have_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no source profile sap") as error:
        demo.run(Settings(home=tmp_path / "home"), "sap", None, "S", None, print)
    assert "adventureworks, fxiaoke, sample, zoho" in error.value.mend
    assert not (tmp_path / "home").exists()


def test_only_the_sample_can_be_made(tmp_path: Path) -> None:
    settings = replace(Settings(home=tmp_path / "home"), company="company.adventureworks.yml")
    with pytest.raises(DataError, match="no sample for the source adventureworks"):
        demo.run(settings, "adventureworks", None, "S", None, print)
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize(
    ("rows", "taken_up", "said"),
    [
        pytest.param(
            {"accepted": 6, "quarantined": 2}, 0, "2 files; rows: 6 accepted, 2 quarantined", id="nothing waited"
        ),
        pytest.param(
            {"accepted": 1},
            3,
            "2 files; rows: 1 accepted; 3 that had waited in quarantine taken up",
            id="uptake in words",
        ),
        pytest.param({}, 0, "2 files; rows: none new", id="nothing new"),
    ],
)
def test_progress_says_what_a_run_did(tmp_path: Path, rows: dict[str, int], taken_up: int, said: str) -> None:
    settings = Settings(home=tmp_path)
    with record_run(settings, "ingest") as entry:
        counts = dict.fromkeys(("accepted", "quarantined", "rejected", "duplicate"), 0) | rows
        entry.note(received="2026-03-02", files={"accepted": 1, "duplicate": 1}, rows=counts, taken_up=taken_up)
    run = DagRun("ingest_sample", "run", "success", "manual", "2026-03-02", None, None, None)
    assert _did(settings, run) == said
