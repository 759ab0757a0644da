"""Gzip and zip around files: the content is what counts, and it is found again."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import shutil
import tarfile
import zipfile
import zlib
from pathlib import Path

import pytest

from dealermart import lake, landing
from dealermart.base import DataError, Settings
from dealermart.landing import store
from dealermart.landing.store import Refused

from .conftest import DAY, Land
from .packed import workbook, zipped

TABLE = b"doc,line\nA1,1\n"
OTHER = b"doc,line\nA2,1\n"
SHA = hashlib.sha256(TABLE).hexdigest()
ROW = '<row r="1"><c r="A1" t="inlineStr"><is><t>a</t></is></c></row>'

# name in the drop folder, bytes -> (source file, name shown)
PACKINGS = {
    "plain": ("a/sales.csv", TABLE, "a/sales.csv", "a/sales.csv"),
    "gzip": ("a/sales.csv.gz", gzip.compress(TABLE), "a/sales.csv", "a/sales.csv.gz > a/sales.csv"),
    "gzip under its plain name": ("a/sales.csv", gzip.compress(TABLE), "a/sales.csv", "a/sales.csv > a/sales.csv"),
    "gzip in two pieces": ("sales.csv.GZ", gzip.compress(TABLE[:4]) + gzip.compress(TABLE[4:]), "sales.csv", "sales.csv.GZ > sales.csv"),
    "zip": ("a/march.zip", zipped({"b/sales.csv": TABLE}), "a/b/sales.csv", "a/march.zip > a/b/sales.csv"),
    "zip under another name": ("march.csv", zipped({"x.csv": TABLE}), "x.csv", "march.csv > x.csv"),
    "zip, stored": ("march.zip", zipped({"sales.csv": TABLE}, zipfile.ZIP_STORED), "sales.csv", "march.zip > sales.csv"),
    "zip with the dust of a Mac and of Windows": ("m.zip", zipped({"d/": b"", "d/s.csv": TABLE, "__MACOSX/d/._s.csv": b"x", "d/.DS_Store": b"x", "Thumbs.db": b"x"}), "d/s.csv", "m.zip > d/s.csv"),
    "zip with back slashes": ("m.zip", zipped({"d\\s.csv": TABLE}), "d/s.csv", "m.zip > d/s.csv"),
}  # fmt: skip


@pytest.mark.parametrize(("name", "content", "source_file", "label"), PACKINGS.values(), ids=PACKINGS)
def test_the_same_table_is_the_same_delivery_in_any_packing_and_is_found_again(
    home: Settings, land: Land, tmp_path: Path, name: str, content: bytes, source_file: str, label: str
) -> None:
    (delivery,) = land(name, content)
    assert (delivery.delivery_id, delivery.sha256, delivery.size) == (SHA[:16], SHA, len(TABLE))
    assert (delivery.source_file, delivery.label) == (source_file, label)
    assert delivery.payload.read_bytes() == TABLE
    # What came is kept as it came.
    raw = hashlib.sha256(content).hexdigest()[:16]
    assert (home.landing / "mini" / "2026-03-02" / raw / "payload").read_bytes() == content
    again = landing.find(home, "mini", "2026-03-02", SHA[:16], source_file, tmp_path / "again")
    assert again.payload.read_bytes() == TABLE
    assert (again.sha256, again.size, again.label) == (SHA, len(TABLE), label)


def test_names_without_the_mark_for_utf8_are_chinese(land: Land) -> None:
    """Windows packs names in the system's encoding; Python writes the marked form, so the bytes are put in by hand."""
    raw = "销售.csv".encode("gb18030")
    content = zipped({"x" * len(raw): TABLE}).replace(b"x" * len(raw), raw)
    assert [one.source_file for one in land("march.zip", content)] == ["销售.csv"]
    (marked,) = land("april.zip", zipped({"销售.csv": OTHER}))
    assert marked.source_file == "销售.csv"


def test_a_plain_file_beside_the_packed_one_is_kept_too(home: Settings, land: Land, tmp_path: Path) -> None:
    land("march.zip", zipped({"sales.csv": TABLE, "other.csv": OTHER}))
    (plain,) = land("sales.csv", TABLE)
    assert plain.payload.read_bytes() == TABLE
    found = landing.find(home, "mini", "2026-03-02", SHA[:16], "sales.csv", tmp_path / "again")
    assert found.payload.read_bytes() == TABLE


def test_a_workbook_is_a_file_and_may_be_packed(land: Land) -> None:
    book = workbook(ROW)
    (plain,) = land("book.xlsx", book)
    (packed,) = land("book.xlsx.gz", gzip.compress(book))
    (zipped_one,) = land("books.zip", zipped({"book.xlsx": book}))
    assert plain.delivery_id == packed.delivery_id == zipped_one.delivery_id


def test_a_damaged_workbook_is_not_taken_for_an_archive(land: Land) -> None:
    with pytest.raises(Refused, match="the workbook is damaged"):
        land("book.xlsx", workbook(ROW)[:-30])


def test_landed_bytes_that_were_changed_are_noticed(home: Settings, land: Land, tmp_path: Path) -> None:
    (delivery,) = land("march.zip", zipped({"sales.csv": TABLE}))
    (payload,) = home.landing.rglob("payload")
    manifests = [json.loads(path.read_text("utf-8")) for path in home.landing.rglob("manifest.json")]
    assert sorted(one.get("member", "") for one in manifests) == ["", "sales.csv"]
    payload.chmod(0o644)
    payload.write_bytes(zipped({"sales.csv": OTHER}))
    with pytest.raises(DataError, match="was changed") as caught:
        landing.find(home, "mini", "2026-03-02", delivery.delivery_id, "sales.csv", tmp_path / "a")
    assert caught.value.where == str(payload)
    payload.write_bytes(b"no zip")
    with pytest.raises(DataError, match="was changed"):
        landing.find(home, "mini", "2026-03-02", delivery.delivery_id, "sales.csv", tmp_path / "b")
    payload.unlink()
    with pytest.raises(DataError, match="is gone"):
        landing.find(home, "mini", "2026-03-02", delivery.delivery_id, "sales.csv", tmp_path / "c")


def _cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


def _wrong_size(content: bytes) -> bytes:
    """The zip whose headers say that the file in it is shorter than it is, with the check sum of that part."""
    said = zlib.crc32(TABLE[:4]).to_bytes(4, "little") + content[18:22] + (4).to_bytes(4, "little")
    archive = bytearray(content)
    archive[14:26] = said
    place = archive.rindex(b"PK\x01\x02") + 16
    archive[place : place + 12] = said
    return bytes(archive)


def _tar() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        entry = tarfile.TarInfo("sales.csv")
        entry.size = len(TABLE)
        archive.addfile(entry, io.BytesIO(TABLE))
    return out.getvalue()


REFUSED = {
    "gzip cut off": ("s.csv.gz", _cut(gzip.compress(TABLE * 50)), "damaged or was cut off"),
    "gzip with a wrong check sum": ("s.csv.gz", gzip.compress(TABLE)[:-8] + b"\0" * 8, "damaged or was cut off"),
    "gzip with something behind": ("s.csv.gz", gzip.compress(TABLE) + b"more", "damaged or was cut off"),
    "zip cut off": ("s.zip", _cut(zipped({"s.csv": TABLE * 50})), "damaged or was cut off"),
    "zip with a damaged file": ("s.zip", zipped({"s.csv": TABLE}, zipfile.ZIP_STORED).replace(b"A1,1", b"A9,9"), "damaged or was cut off"),
    "zip that says another size": ("s.zip", _wrong_size(zipped({"s.csv": TABLE})), "damaged or was cut off"),
    "zip without a file": ("s.zip", zipped({}), "holds no file"),
    "zip with a folder only": ("s.zip", zipped({"d/": b""}), "holds no file"),
    "zip by bzip2": ("s.zip", zipped({"s.csv": TABLE}, zipfile.ZIP_BZIP2), "other than deflate"),
    "zip in a zip": ("s.zip", zipped({"ok.csv": TABLE, "in.zip": zipped({"s.csv": TABLE})}), "an archive inside"),
    "gzip in a zip": ("s.zip", zipped({"s.csv.gz": gzip.compress(TABLE)}), "an archive inside"),
    "zip in a gzip": ("s.zip.gz", gzip.compress(zipped({"s.csv": TABLE})), "an archive inside"),
    "tar in a gzip": ("s.tar.gz", gzip.compress(_tar()), "an archive inside"),
    "tar": ("s.tar", _tar(), "packed as tar"),
    "7z": ("s.7z", b"7z\xbc\xaf\x27\x1c" + b"\0" * 40, "packed as 7z"),
    "bzip2": ("s.csv.bz2", b"BZh91AY&SY" + b"\0" * 40, "packed as bzip2"),
}  # fmt: skip


@pytest.mark.parametrize(("name", "content", "what"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_unpacked_is_refused_whole_and_kept_as_it_came(
    home: Settings, land: Land, name: str, content: bytes, what: str
) -> None:
    with pytest.raises(Refused, match=what) as caught:
        land(name, content)
    assert caught.value.where == name
    assert caught.value.mend
    assert caught.value.delivery_id == hashlib.sha256(content).hexdigest()[:16]
    (payload,) = home.landing.rglob("payload")
    assert payload.read_bytes() == content
    assert [path.name for path in (home.landing / "mini" / DAY.isoformat()).iterdir()] == [caught.value.delivery_id]


def test_what_a_kill_leaves_half_landed_lies_where_the_next_run_clears(
    home: Settings, land: Land, monkeypatch: pytest.MonkeyPatch
) -> None:
    def kill(paths: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as killed:
        killed.setattr(store, "sync_all", kill)
        killed.setattr(shutil, "rmtree", lambda *_, **__: None)  # who is killed tidies nothing
        with pytest.raises(KeyboardInterrupt):
            land("march.zip", zipped({"sales.csv": TABLE, "other.csv": OTHER}))

    assert [path for path in home.landing.rglob("*") if path.is_file()] == []
    assert len(list(home.work.rglob("payload"))) == 1
    lake.recover(home)
    assert not home.work.exists()
