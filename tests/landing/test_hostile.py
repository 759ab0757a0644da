"""What is made to do harm: refused with a message, before it takes memory or disk, and never followed outside."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import zipfile
from pathlib import Path

import pytest
import python_calamine

from dealermart import landing
from dealermart.base import DataError, Settings
from dealermart.config import MIB, Limits
from dealermart.landing.store import Refused

from .conftest import Land, land_one
from .packed import encrypted, linked, workbook, zipped

TABLE = b"doc,line\nA1,1\n"
ZEROS = b"0" * (17 * MIB)


def many(count: int) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for number in range(count):
            archive.writestr(f"{number}.csv", b"a\n")
    return out.getvalue()


ARCHIVES = {
    "gzip bomb, by ratio": ("b.csv.gz", gzip.compress(ZEROS), {}, "more than 200 times its size"),
    "zip bomb, by ratio": ("b.zip", zipped({"b.csv": ZEROS}), {}, "more than 200 times its size"),
    "gzip bomb, by size": ("b.csv.gz", gzip.compress(ZEROS), {"ratio": 2000, "unpacked_mb": 16}, "larger than 16 MB"),
    "zip bomb, by the size of all": ("b.zip", zipped({"a.csv": ZEROS[: 9 * MIB], "b.csv": ZEROS[: 9 * MIB]}), {"ratio": 2000, "unpacked_mb": 16}, "larger than 16 MB"),
    "too many files": ("b.zip", many(1001), {}, "more than 1000 files"),
    "too many files, by the directory alone": ("b.zip", many(100), {"members": 1}, "more than 1 files"),
    "password": ("b.zip", encrypted(zipped({"a.csv": TABLE})), {}, "protected by a password"),
    "up and out": ("b.zip", zipped({"../../evil.csv": TABLE}), {}, "leads out of the archive"),
    "up in the middle": ("b.zip", zipped({"a/../../evil.csv": TABLE}), {}, "leads out of the archive"),
    "up with back slashes": ("b.zip", zipped({"..\\evil.csv": TABLE}), {}, "leads out of the archive"),
    "absolute": ("b.zip", zipped({"/etc/evil.csv": TABLE}), {}, "leads out of the archive"),
    "drive letter": ("b.zip", zipped({"C:\\evil.csv": TABLE}), {}, "leads out of the archive"),
    "share of another machine": ("b.zip", zipped({"\\\\host\\evil.csv": TABLE}), {}, "leads out of the archive"),
    "control characters": ("b.zip", zipped({"a\x1b[2J.csv": TABLE}), {}, "leads out of the archive or cannot"),
    "link": ("b.zip", linked("sales.csv", b"/etc/passwd"), {}, "a link or a device"),
    "two files of one name": ("b.zip", zipped({"a.csv": TABLE, "b.csv": b"x"}).replace(b"b.csv", b"a.csv"), {}, "stands twice"),
    "two files of one name, spelt otherwise": ("b.zip", zipped({"d/a.csv": TABLE, "d//a.csv": b"x"}), {}, "stands twice"),
}  # fmt: skip


@pytest.mark.parametrize(("name", "content", "limits", "what"), ARCHIVES.values(), ids=ARCHIVES)
def test_a_hostile_archive_is_refused_and_nothing_leaves_its_place(
    land: Land, tmp_path: Path, name: str, content: bytes, limits: dict[str, int], what: str
) -> None:
    with pytest.raises(Refused, match=what) as caught:
        land(name, content, **limits)
    assert caught.value.mend
    unpacked = sum(path.stat().st_size for path in (tmp_path / "unpacked").rglob("*") if path.is_file())
    assert unpacked <= 16 * MIB, "at most the limit, or the 16 MB from which the ratio counts"
    assert {path.name for path in tmp_path.iterdir()} <= {"home", "drop", "unpacked"}


def test_limits_are_the_profiles_to_raise(land: Land) -> None:
    (delivery,) = land("b.csv.gz", gzip.compress(ZEROS), ratio=2000)
    assert delivery.size == len(ZEROS)
    assert len(land("many.zip", many(1001), members=1001)) == 1001


def cells(*places: str) -> str:
    return "".join(
        f'<row r="{place.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")}"><c r="{place}"><v>1</v></c></row>' for place in places
    )


LONG = "<si><t>" + "x" * 30_000 + "</t></si>"
SHARED = "".join(f'<row r="{row}"><c r="A{row}" t="s"><v>0</v></c></row>' for row in range(1, 4001))

WORKBOOKS = {
    "two cells at the ends of the sheet": (workbook(cells("A1", "XFD1048576")), {}, "over more than 20,000,000 cells"),
    "in single quotes, with blanks": (workbook(cells("A1") + "<row><c r = 'XFD1048576'><v>1</v></c></row>"), {}, "over more than 20,000,000 cells"),
    "with a prefix": (workbook(cells("A1") + '<x:row xmlns:x="u" r="2"><x:c r="XFD1048576"/></x:row>'), {}, "over more than 20,000,000 cells"),
    "with the letters written as entities": (workbook(cells("A1") + '<row><c r="&#88;FD1048576"><v>1</v></c></row>'), {}, "over more than 20,000,000 cells"),
    "cells that do not say where they stand": (workbook('<row r="1048576"><c><v>1</v></c>' + "<c/>" * 30 + "</row>"), {}, "over more than 20,000,000 cells"),
    "more cells than the profile allows": (workbook(cells("A1", "C3")), {"cells": 8}, "over more than 8 cells"),
    "one long text in many cells": (workbook(SHARED, LONG), {"workbook_mb": 100}, "texts of its cells are more than 100 MB"),
    "parts that are too large": (workbook("<!--" + " " * (3 * MIB) + "-->"), {"workbook_mb": 2}, "larger than 2 MB"),
    "a document type": (workbook(cells("A1", "XFD1048576"), more={"xl/worksheets/sheet1.xml": b'<!DOCTYPE w [<!ENTITY a "b">]><w><sheetData><c r="XFD1048576"/></sheetData></w>'}), {}, "declares a document type"),
    "binary workbook": (zipped({"[Content_Types].xml": b"", "xl/workbook.bin": b""}), {}, "another kind than xlsx"),
    "too many parts": (zipped({"[Content_Types].xml": b"", **{f"xl/{number}": b"" for number in range(1001)}}), {}, "more than 1000 files"),
    "a tag without end": (workbook("<c " + " " * (2 * MIB)), {}, "the workbook is damaged"),
}  # fmt: skip


@pytest.mark.parametrize(("content", "limits", "what"), WORKBOOKS.values(), ids=WORKBOOKS)
def test_a_hostile_workbook_is_refused_before_it_is_read(
    land: Land, content: bytes, limits: dict[str, int], what: str
) -> None:
    assert len(content) < MIB
    with pytest.raises(Refused, match=what) as caught:
        land("book.xlsx", content, **limits)
    assert caught.value.mend


def test_a_part_that_is_longer_than_it_says_is_refused(land: Land) -> None:
    """calamine reads to the end of the compressed data, whatever the header says, so the check must too."""
    content = bytearray(workbook(cells("A1") + "<!--" + " " * (3 * MIB) + "-->"))
    place = content.index(b"xl/worksheets/sheet1.xml") - 30
    content[place + 22 : place + 26] = (100).to_bytes(4, "little")
    place = content.rindex(b"xl/worksheets/sheet1.xml") - 46
    content[place + 24 : place + 28] = (100).to_bytes(4, "little")
    with pytest.raises(Refused, match="larger than 2 MB"):
        land("book.xlsx", bytes(content), workbook_mb=2)


def test_an_honest_workbook_passes_though_the_rough_look_is_too_high(land: Land) -> None:
    # Without places, and with one text of 30,000 characters that only one of 4,000 cells shows.
    rows = "".join(f'<row><c t="s"><v>1</v></c><c><v>{row}</v></c></row>' for row in range(3999))
    content = workbook(rows + '<row><c t="s"><v>0</v></c></row>', LONG + "<si><t>short</t></si>")
    (delivery,) = land("book.xlsx", content, workbook_mb=1, cells=8000)
    found = python_calamine.CalamineWorkbook.from_path(delivery.payload).get_sheet_by_index(0).to_python()
    assert (len(found), len(found[0])) == (4000, 2), "calamine agrees on what was counted: 8,000 cells"
    with pytest.raises(Refused, match="over more than 7,999 cells"):
        land("book2.xlsx", content, workbook_mb=1, cells=7999)


def test_links_and_devices_in_the_drop_folder_are_refused_and_not_opened(
    land: Land, home: Settings, tmp_path: Path
) -> None:
    land("good.csv", TABLE)
    drop, secret = tmp_path / "drop", tmp_path / "secret"
    secret.mkdir()
    (secret / "sales.csv").write_bytes(b"4711secret")
    (drop / "link.csv").symlink_to(secret / "sales.csv")
    (drop / "folder").symlink_to(secret, target_is_directory=True)
    (drop / "gone.csv").symlink_to(tmp_path / "nothing")
    os.mkfifo(drop / "pipe.csv")
    found = landing.scan(drop)
    assert [name for name, _ in found] == ["folder", "gone.csv", "good.csv", "link.csv", "pipe.csv"]
    for name, path in found:
        if name != "good.csv":
            with pytest.raises(DataError, match="a link or a device") as caught:
                land_one(home, name, path, tmp_path / "u", Limits())
            assert caught.value.where == str(path)
    assert not [path for path in home.landing.rglob("payload") if b"4711" in path.read_bytes()]


@pytest.mark.parametrize("moment", ["with every part that is read", "while the copy is written to disk"])
def test_a_file_that_grows_while_it_is_read_is_left_and_taken_whole_later(
    moment: str, land: Land, home: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "drop" / "grows.csv"
    path.parent.mkdir()
    path.write_bytes(TABLE * 1000)

    def grow() -> None:
        """The sender writes more. (Hooked in, because a thread that writes may never get its turn.)"""
        with path.open("ab") as out:
            out.write(TABLE)

    class Growing:
        """A hash that never gets to the end of the file."""

        def update(self, chunk: bytes) -> None:
            grow()

    with monkeypatch.context() as sender:
        if moment == "with every part that is read":
            sender.setattr(hashlib, "sha256", Growing)
        else:
            synced = os.fsync
            sender.setattr(os, "fsync", lambda fd: (grow(), synced(fd)))
        with pytest.raises(landing.StillChanging, match="left for the next run"):
            land_one(home, "grows.csv", path, tmp_path / "u", Limits())
    assert list(home.landing.rglob("payload")) == []
    whole = path.read_bytes()
    (delivery,) = land("grows.csv", whole)
    assert delivery.size == len(whole)


def test_a_file_that_is_rewritten_in_the_same_size_is_left(
    home: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "sales.csv"
    path.write_bytes(b"x" * (3 * MIB))
    synced = os.fsync

    def rewrite(fd: int) -> None:
        """While the copy is written to disk, the sender writes the file anew."""
        if path.exists():
            path.write_bytes(b"y" * (3 * MIB))
        synced(fd)

    monkeypatch.setattr(os, "fsync", rewrite)
    with pytest.raises(landing.StillChanging):
        land_one(home, "sales.csv", path, tmp_path / "u", Limits())


def test_names_in_any_encoding_are_listed(tmp_path: Path) -> None:
    drop = os.fsencode(tmp_path / "drop")
    os.mkdir(drop)  # noqa: PTH102 - a name that is no text
    for name in ("销售.csv".encode(), "目标.csv".encode("gb18030"), b"\xff.csv"):
        with open(os.path.join(drop, name), "wb"):  # noqa: PTH118, PTH123
            pass
    assert sorted(name for name, _ in landing.scan(tmp_path / "drop")) == ["\\xff.csv", "目标.csv", "销售.csv"]
