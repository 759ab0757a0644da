"""Packed deliveries through the whole of ingest: one delivery under any packing, rebuilt from what landed."""

from __future__ import annotations

import datetime as dt
import gzip
import io
import os
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
import xlsxwriter

from dealermart import ingest, lake, upkeep
from dealermart.base import DataError, Settings
from dealermart.cli import main
from dealermart.config import load_contracts

pytestmark = pytest.mark.slow


DAY = dt.date(2026, 3, 2)
HEAD = "doc,line,kind,dealer,product,qty,net,cost,day\n"
GOOD = (HEAD + "A1,1,invoice,D1,P1,2,100.50,60,2026-03-01\nA1,2,invoice,D1,P2,1,40,30,2026/3/1\n").encode()
DEALERS = "dealer,since,name,region,city\nD1,2026-01-01,甲,East,上海\n".encode()
ROWS = [("A1", 1), ("A1", 2)]

Drop = Callable[..., Path]


def zipped(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def rows(settings: Settings) -> list[tuple[object, ...]]:
    contract = load_contracts(settings)["sales"]
    sql = lake.rows_sql(contract, lake.read(settings).paths(settings, "sales"))
    return duckdb.sql(f"select transaction_id, line_no from ({sql}) order by all").fetchall()


FORMS = {
    "plain": {"sales.csv": GOOD},
    "gzip": {"sales-0301.csv.gz": gzip.compress(GOOD)},
    "zip": {"export.zip": zipped({"sales_a.csv": GOOD})},
}


@pytest.mark.parametrize("first", FORMS)
@pytest.mark.parametrize("second", FORMS)
def test_the_same_content_under_any_name_and_packing_is_taken_once(
    settings: Settings, drop: Drop, first: str, second: str
) -> None:
    taken = ingest.run(settings, "mini", DAY, drop(FORMS[first]))
    assert [(one.status, one.accepted) for one in taken.files] == [("accepted", 2)]
    again = ingest.run(settings, "mini", DAY + dt.timedelta(days=1), drop(FORMS[second]))
    assert [one.status for one in again.files] == ["duplicate"]
    assert rows(settings) == ROWS
    assert list(settings.work.glob("*")) == []


def test_all_three_at_once_count_once_and_a_rebuild_finds_what_is_packed(settings: Settings, drop: Drop) -> None:
    files = {name: content for form in ("gzip", "zip") for name, content in FORMS[form].items()}
    files["masters.zip"] = zipped({"dealers.csv": DEALERS, "readme.txt": b"hello"})
    result = ingest.run(settings, "mini", DAY, drop(files))
    found = {one.file: (one.status, one.error) for one in result.files}
    error = found.pop("readme.txt")[1]
    assert error is not None
    assert error.startswith("masters.zip > readme.txt: no entry")
    # In the order of the names of what came: export.zip is before sales-0301.csv.gz.
    assert {name: status for name, (status, _) in found.items()} == {
        "sales_a.csv": "accepted",
        "sales-0301.csv": "duplicate",
        "dealers.csv": "accepted",
    }
    before = rows(settings)
    shutil.rmtree(settings.lake)
    assert upkeep.rebuild(settings)["deliveries"] == 2
    assert rows(settings) == before == ROWS
    assert list(settings.work.glob("*")) == []


def test_a_fault_in_a_packed_file_names_both_and_the_others_go_through(settings: Settings, drop: Drop) -> None:
    bad = HEAD.encode() + b"A2,1,invoice,\xff,P1,2,1,1,2026-03-01\n"
    files = {"sales.zip": zipped({"a/dealers.csv": DEALERS}), "b.zip": zipped({"sales2.csv": bad}), "sales.csv": GOOD}
    files["broken.csv.gz"] = gzip.compress(GOOD)[:-9]
    result = ingest.run(settings, "mini", DAY, drop(files))
    assert {one.file: one.status for one in result.files} == {
        "a/dealers.csv": "unrecognised",  # the pattern dealers*.csv is for the folder itself
        "sales2.csv": "refused",
        "broken.csv.gz": "refused",
        "sales.csv": "accepted",
    }
    errors = {one.file: str(one.error) for one in result.files}
    assert errors["sales2.csv"].startswith("b.zip > sales2.csv:2: the bytes are not text in utf-8")
    assert errors["broken.csv.gz"].startswith("broken.csv.gz: the archive is damaged or was cut off")
    assert rows(settings) == ROWS
    # Mended, the same day again takes only that file.
    again = ingest.run(settings, "mini", DAY, drop({"b.zip": zipped({"sales2.csv": bad.replace(b"\xff", b"D1")})}))
    assert [(one.file, one.status) for one in again.files] == [("sales2.csv", "accepted")]


def test_a_required_file_may_come_packed(settings: Settings, config: Path, drop: Drop) -> None:
    profile = config / "sources" / "mini" / "source.yml"
    text = profile.read_text("utf-8").replace('pattern: "sales*.csv"', 'pattern: "sales*.csv"\n    required: true')
    profile.write_text(text + "limits: {members: 1, unpacked_mb: 1}\n", "utf-8")
    assert ingest.run(settings, "mini", DAY, drop(FORMS["zip"])).committed
    (two,) = ingest.run(settings, "mini", DAY, drop({"s.zip": zipped({"sales.csv": b"a", "b.csv": b"b"})})).files
    assert two.status == "refused"
    assert "more than 1 files" in str(two.error), "the limit is the profile's"


def test_what_the_profile_ignores_is_ignored_in_an_archive_too(settings: Settings, config: Path, drop: Drop) -> None:
    profile = config / "sources" / "mini" / "source.yml"
    text = profile.read_text("utf-8") + 'ignore: [{pattern: "*.txt", reason: notes for people}]\n'
    profile.write_text(text, "utf-8")
    result = ingest.run(settings, "mini", DAY, drop({"s.zip": zipped({"sales.csv": GOOD, "read.txt": b"x"})}))
    assert [one.status for one in result.files] == ["accepted"]
    assert result.ignored == ("s.zip > read.txt",)


def test_formulas_are_read_by_their_values_and_texts_stay_texts(settings: Settings, config: Path, drop: Drop) -> None:
    """An xlsx keeps the value that Excel saw last; nothing is computed here, and = + - @ begin plain texts."""
    profile = config / "sources" / "mini" / "source.yml"
    text = profile.read_text("utf-8").replace('"products*.csv"\n    format: csv', '"products*.xlsx"\n    format: xlsx')
    profile.write_text(text, "utf-8")
    book = io.BytesIO()
    with xlsxwriter.Workbook(book, {"in_memory": True, "strings_to_formulas": False}) as written:
        sheet = written.add_worksheet()
        sheet.write_row(0, 0, ["product", "since", "name", "category"])
        for row, name in enumerate(["=1+1", "+49 30", "@SUM(A1)", "-x", "=cmd|' /C calc'!A0"], start=1):
            sheet.write_row(row, 0, [f"P{row}", "2026-01-01", name, "Tent"])
        sheet.write_row(6, 0, ["P6", "2026-01-01"])
        sheet.write_formula(6, 2, "=WEBSERVICE(A1)", value="the value")
        sheet.write(6, 3, "Tent")
    (file,) = ingest.run(settings, "mini", DAY, drop({"products.xlsx": book.getvalue()})).files
    assert (file.status, file.accepted) == ("accepted", 6)
    paths = [str(path) for path in lake.read(settings).paths(settings, "products")]
    names = duckdb.sql(f"select product_id, product_name from read_parquet({paths}) order by 1").fetchall()
    assert names == [
        ("P1", "=1+1"),
        ("P2", "+49 30"),
        ("P3", "@SUM(A1)"),
        ("P4", "-x"),
        ("P5", "=cmd|' /C calc'!A0"),
        ("P6", "the value"),
    ]


def test_links_are_named_and_the_others_go_through(settings: Settings, drop: Drop, tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_bytes(GOOD.replace(b"A1", b"S1"))
    folder = drop({"sales.csv": GOOD})
    (folder / "sales_link.csv").symlink_to(secret)
    result = ingest.run(settings, "mini", DAY, folder)
    assert {one.file: one.status for one in result.files} == {"sales.csv": "accepted", "sales_link.csv": "refused"}
    assert "sales_link.csv: this is a link or a device" in str(result.refused[0].error)
    assert rows(settings) == ROWS
    inbox = settings.inbox / "mini" / "2026-03-03"
    inbox.parent.mkdir(parents=True)
    inbox.symlink_to(secret.parent, target_is_directory=True)
    with pytest.raises(DataError, match="the folder of this date is a link"):
        ingest.run(settings, "mini", DAY + dt.timedelta(days=1))


def test_a_file_that_changes_is_left_with_a_message_and_the_next_run_takes_it(
    settings: Settings, drop: Drop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DEALERMART_HOME", str(settings.home))
    monkeypatch.setenv("DEALERMART_CONFIG", str(settings.config))
    folder = drop({"sales.csv": GOOD, "dealers.csv": DEALERS})
    synced = os.fsync

    def write_on(fd: int) -> None:
        """The sender writes a line while what was copied is forced to disk."""
        if list(settings.home.rglob("payload")):
            with (folder / "sales.csv").open("ab") as out:
                out.write(b"A1,3,invoice,D1,P1,1,1,1,2026-03-01\n")
        synced(fd)

    command = ["ingest", "--source", "mini", "--received", "2026-03-02", "--drop", str(folder)]
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", write_on)
        assert main(command) == 3
    said = capsys.readouterr().err
    assert "sales.csv: the file was written to while it was read; it is left for the next run\n  mend: " in said
    assert {one["file"] for one in lake.read(settings).deliveries()} == {"dealers.csv"}
    (folder / "sales.csv").write_bytes(GOOD)
    assert main(command) == 0
    assert rows(settings) == ROWS
