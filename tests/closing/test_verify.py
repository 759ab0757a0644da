"""Whatever is done to a closed folder is found and named."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from tests.closing.built import FIRST, SECOND, build, closed, pay, together

from dealermart import frozen, upkeep
from dealermart.base import DataError, Settings
from dealermart.cli import main


@pytest.fixture(scope="module")
def chained(ready_home: Path, company: Settings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three quarters, each closed."""
    from dataclasses import replace

    settings = replace(company, home=tmp_path_factory.mktemp("chained") / "home")
    shutil.copytree(ready_home, settings.home)
    build(settings, together(FIRST, SECOND, pay("2026-Q3", ("M1", "CNY", "5.00"))), until="2026-Q3")
    for period in ("2026-Q1", "2026-Q2", "2026-Q3"):
        closed(settings, period)
    return settings.home


@pytest.fixture
def home(ready: Settings, chained: Path) -> Settings:
    shutil.rmtree(ready.home)
    shutil.copytree(chained, ready.home)
    return ready


def said(settings: Settings) -> list[tuple[str, str]]:
    return [(flaw.where, flaw.what) for flaw in frozen.verify(settings)]


def test_what_nobody_touched_is_as_it_was(home: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    assert said(home) == []
    assert main(["audit", "verify"]) == 0
    assert "3 closed folders are what was closed" in capsys.readouterr().out
    assert [finding.ok for finding in upkeep.examine(home) if finding.name == "closed periods"] == [True]


def test_each_file_that_is_changed_is_named(home: Settings) -> None:
    """One byte of any file, in the middle of it."""
    folder = home.closed / "pay" / "2026-Q2" / "V1R1"
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    assert len(files) > 20
    for path in files:
        whole = path.read_bytes()
        path.chmod(0o600)
        path.write_bytes(whole[: len(whole) // 2] + bytes([whole[len(whole) // 2] ^ 1]) + whole[len(whole) // 2 + 1 :])
        flaw, *more = said(home)
        assert flaw[0] == path.relative_to(home.closed).as_posix(), path
        assert not more or path.name == "manifest.json", "a manifest may name other files too"
        path.write_bytes(whole)
    assert said(home) == []


def test_a_file_that_is_removed_or_added_is_named(home: Settings) -> None:
    folder = home.closed / "pay" / "2026-Q1" / "V1R1"
    (folder / "tables" / "mart_incentive__payout.parquet").unlink()
    (folder / "tables" / "more.parquet").write_bytes(b"x")
    (home.closed / "pay" / "notes.txt").write_text("", "utf-8")
    assert said(home) == [
        ("pay/2026-Q1/V1R1/tables/mart_incentive__payout.parquet", "the file was removed"),
        ("pay/2026-Q1/V1R1/tables/more.parquet", "the file was added"),
        ("pay/notes.txt", "this file belongs to no closing"),
    ]


@pytest.mark.parametrize("period", ["2026-Q1", "2026-Q2", "2026-Q3"])
def test_a_folder_that_is_removed_is_named(home: Settings, period: str) -> None:
    """The last one too, which none follows."""
    shutil.rmtree(home.closed / "pay" / period)
    ((where, what),) = said(home)
    assert where == f"pay/{period}/V1R1" and what.startswith("the folder was removed")
    with pytest.raises(DataError, match="the folder was removed"):
        frozen.chain(home)


def test_all_folders_removed_are_named(home: Settings) -> None:
    shutil.rmtree(home.closed)
    assert [where for where, _ in said(home)] == [f"pay/2026-Q{number}/V1R1" for number in (1, 2, 3)]


def forge(path: Path, **changes: object) -> None:
    """Change a manifest and make its own hash right again."""
    manifest = json.loads(path.read_text("utf-8")) | changes
    path.chmod(0o600)
    path.write_text(json.dumps(manifest | {"hash": frozen.manifest_hash(manifest)}), "utf-8")


def test_a_forged_folder_is_out_of_the_chain(home: Settings) -> None:
    """Its own hash fits; that of the folder after it, and the run that closed it, say otherwise."""
    forge(home.closed / "pay" / "2026-Q2" / "V1R1" / "manifest.json", by="somebody else")
    found = said(home)
    assert (
        "pay/2026-Q3/V1R1",
        "this folder is out of the chain: it says that it follows pay/2026-Q2/V1R1, and it stands after pay/2026-Q2/V1R1",
    ) in found
    assert [where for where, what in found if "another folder" in what] == ["pay/2026-Q2/V1R1"]


def test_a_folder_in_another_place_is_named(home: Settings) -> None:
    (home.closed / "pay" / "2026-Q2").rename(home.closed / "pay" / "2026-Q4")
    where, what = said(home)[0]
    assert where == "pay/2026-Q4/V1R1" and "was closed as pay/2026-Q2/V1R1: it is out of its place" in what


def test_a_copy_of_a_folder_is_named(home: Settings) -> None:
    shutil.copytree(home.closed / "pay" / "2026-Q2", home.closed / "pay" / "2026-Q4")
    assert "pay/2026-Q4/V1R1" in {where for where, _ in said(home)}


def test_a_folder_that_follows_none_is_out_of_the_chain(home: Settings) -> None:
    forge(home.closed / "pay" / "2026-Q3" / "V1R1" / "manifest.json", previous=None)
    assert (
        "pay/2026-Q3/V1R1",
        "this folder is out of the chain: it says that it is the first, and it stands after pay/2026-Q2/V1R1",
    ) in said(home)


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"seq": 1}', "null"])
def test_a_manifest_that_cannot_be_read_is_named(home: Settings, content: str) -> None:
    path = home.closed / "pay" / "2026-Q2" / "V1R1" / "manifest.json"
    path.chmod(0o600)
    path.write_text(content, "utf-8")
    assert ("pay/2026-Q2/V1R1/manifest.json", "the manifest cannot be read: it was changed") in said(home)
    path.unlink()
    assert ("pay/2026-Q2/V1R1/manifest.json", "the manifest is gone") in said(home)


def test_on_a_store_that_was_changed_nothing_is_closed(home: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    (home.closed / "pay" / "2026-Q1" / "V1R1" / "config" / "company.yml").unlink()
    build(
        home,
        together(FIRST, SECOND, pay("2026-Q3", ("M1", "CNY", "5.00")), pay("2026-Q4", ("M1", "CNY", "5.00"))),
        until="2026-Q4",
    )
    with pytest.raises(DataError, match="the file was removed"):
        closed(home, "2026-Q4")
    assert main(["audit", "verify"]) == 1
    assert "closed/pay/2026-Q1/V1R1/config/company.yml: the file was removed" in capsys.readouterr().out
    (finding,) = (finding for finding in upkeep.examine(home) if finding.name == "closed periods")
    assert not finding.ok and "company.yml" in finding.text
