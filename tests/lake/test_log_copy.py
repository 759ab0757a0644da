"""The copy of the log in one file: as good as the commits, and never believed where they differ."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from dealermart import lake
from dealermart.base import DataError, Settings
from dealermart.lake import log as room


@pytest.fixture
def filled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Five commits, the first four of which are copied."""
    monkeypatch.setattr(room, "_NEW_COMMITS", 4)
    settings = Settings(home=tmp_path / "home")
    _commit(settings, 5)
    return settings


def _commit(settings: Settings, count: int) -> None:
    for number in range(1, count + 1):
        lake.commit(settings, lake.read(settings), {"kind": "ingest", "run_id": f"run {number}", "files": []})


def _runs(settings: Settings) -> list[str]:
    return [commit["run_id"] for commit in lake.read(settings).commits]


def test_commits_come_from_the_copy_and_new_ones_from_their_files(filled: Settings) -> None:
    copy = filled.home / "cache" / "log.json"
    copy.write_text(copy.read_text().replace("run 2", "run 2 of the copy"))
    assert _runs(filled) == ["run 1", "run 2 of the copy", "run 3", "run 4", "run 5"]


def test_who_looks_for_damage_reads_every_commit_itself(filled: Settings) -> None:
    path = filled.log / "00000002.json"
    about, text = path.stat(), path.read_text()
    path.write_text("?" * len(text))
    os.utime(path, ns=(about.st_atime_ns, about.st_mtime_ns))
    assert _runs(filled) == ["run 1", "run 2", "run 3", "run 4", "run 5"]
    with pytest.raises(DataError, match="the commit cannot be read"):
        lake.read(filled, whole=True)


def _change(settings: Settings) -> None:
    path = settings.log / "00000002.json"
    path.write_text(path.read_text().replace("run 2", "run 7"))


def _restore(settings: Settings) -> None:
    path = settings.log / "00000002.json"
    path.write_text(path.read_text().replace("run 2", "run 7"))
    os.utime(path, ns=(1, 1))


def _damage_the_copy(settings: Settings) -> None:
    copy = settings.home / "cache" / "log.json"
    copy.write_text(copy.read_text()[:-40])
    _change(settings)


@pytest.mark.parametrize("change", [_change, _restore, _damage_the_copy])
def test_a_copy_that_is_not_the_log_is_not_believed(filled: Settings, change: Callable[[Settings], None]) -> None:
    change(filled)
    assert _runs(filled) == ["run 1", "run 7", "run 3", "run 4", "run 5"]


def test_a_commit_that_is_gone_is_missed_although_it_is_copied(filled: Settings) -> None:
    (filled.log / "00000002.json").unlink()
    with pytest.raises(DataError, match="commit 2 of the log is missing"):
        lake.read(filled)


def test_a_log_that_was_taken_back_is_read_as_it_is(filled: Settings) -> None:
    for number in (4, 5):
        (filled.log / f"{number:08}.json").unlink()
    assert _runs(filled) == ["run 1", "run 2", "run 3"]


def test_where_no_copy_can_be_written_all_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "_NEW_COMMITS", 2)
    settings = Settings(home=tmp_path / "home")
    settings.home.mkdir()
    (settings.home / "cache").write_text("a file where the folder should be")
    _commit(settings, 4)
    assert _runs(settings) == ["run 1", "run 2", "run 3", "run 4"]
