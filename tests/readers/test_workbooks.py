"""Workbooks and Parquet of other programs: what kind a file is, what its cells hide, what else is in it, what it breaks."""

from __future__ import annotations

import datetime as dt
import io
import struct
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pytest
import xlsxwriter
from pyarrow import parquet, schema, string, table
from pyarrow.parquet import encryption
from tests.landing.packed import SHEET, said_to_be_encrypted, workbook, zipped

from dealermart.base import DataError, DealermartError
from dealermart.readers import apart, files
from dealermart.readers.cells import shown, zeros_of
from dealermart.readers.files import File, read_all
from sample_company import xls

from .conftest import Reader, spec_of

ERROR = "net: the cell holds an error, such as #N/A"
NEVER = "the cell holds a formula that was never calculated"
HEAD = '<row r="1"><c r="A1" t="str"><v>doc</v></c><c r="B1" t="str"><v>net</v></c></row>'
# Row 2 is right, row 3 has an error.
TABLE = (
    f'{HEAD}<row r="2"><c r="A2" t="str"><v>A1</v></c><c r="B2"><v>5</v></c></row>'
    '<row r="3"><c r="A3" t="str"><v>A2</v></c><c r="B3" t="e"><v>#N/A</v></c></row>'
)


def sheet_of(cells: Sequence[str]) -> str:
    """Rows of two columns: a document of its own, and a cell that is given without its place."""
    rows = ""
    for row, cell in enumerate(cells, start=2):
        placed = cell.replace("<c", f'<c r="B{row}"', 1)
        rows += f'<row r="{row}"><c r="A{row}" t="str"><v>A{row}</v></c>{placed}</row>'
    return HEAD + rows


def old_book(
    sheets: dict[str, list[list[xls.Cell]]], formats: dict[int, str] | None = None, from_1904: bool = False
) -> bytes:
    """An old workbook of some sheets. ``formats`` replace the formats of numbers of the styles 15 to 18."""
    parts = [(name, split(xls._book(name, rows, from_1904, ()))) for name, rows in sheets.items()]
    begin = [record for record in parts[0][1][0] if record[:2] not in (b"\x85\x00", b"\x0a\x00")]
    for style, code in (formats or {}).items():
        number = 164 + style
        place = [at for at, record in enumerate(begin) if record[:2] == b"\xe0\x00"][style]
        begin[place] = begin[place][:6] + struct.pack("<H", number) + begin[place][8:]
        begin.insert(3, xls._record(0x041E, struct.pack("<HHB", number, len(code), 0) + code.encode()))
    bounds = sum(4 + 8 + 2 * len(name) for name in sheets)
    at, bound, content = sum(map(len, begin)) + bounds + 4, b"", b""
    for name, (_, records) in parts:
        bound += xls._record(
            0x0085, struct.pack("<IBBBB", at + len(content), 0, 0, len(name), 1) + name.encode("utf-16-le")
        )
        content += b"".join(records)
    return b"".join(begin) + bound + xls._record(0x000A) + content


def split(stream: bytes) -> tuple[list[bytes], list[bytes]]:
    """The records of the workbook and those of its sheet."""
    records, at = [], 0
    while at < len(stream):
        length = 4 + struct.unpack_from("<H", stream, at + 2)[0]
        records.append(stream[at : at + length])
        at += length
    end = next(place for place, record in enumerate(records) if record[:2] == b"\x0a\x00") + 1
    return records[:end], records[end:]


def changed(content: bytes, rename: Callable[[str], str] = str, *edits: tuple[str, str, str]) -> bytes:
    """A zip with other names, and with a text of a part replaced: part, text, instead."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(out, "w") as into:
        for name in source.namelist():
            text = source.read(name)
            for part, old, new in edits:
                if name == part:
                    assert old.encode() in text
                    text = text.replace(old.encode(), new.encode())
            info = zipfile.ZipInfo("part")
            info.filename = rename(name)
            into.writestr(info, text)
    return out.getvalue()


# ------------------------------------------------------------------------------------------------ what kind a file is

THEME = xls._record(0x0896, bytes(12) + zipped({"[Content_Types].xml": b"", "theme/theme1.xml": b"<a/>"}))


@pytest.mark.parametrize("damage", ["none", "dimensions"])
@pytest.mark.parametrize("from_1904", [False, True])
def test_an_old_workbook_that_holds_a_zip_is_an_old_workbook(
    read: Reader, tmp_path: Path, damage: str, from_1904: bool
) -> None:
    """As Excel 2007 and later save one: the theme of its colours is a zip."""
    rows: list[list[xls.Cell]] = [["doc", "net", "day"], ["A1", 5, dt.date(2026, 3, 1)], ["A2", xls.Error.NA]]
    stream = old_book({"a": rows}, from_1904=from_1904) + THEME
    if damage == "dimensions":  # four bytes say four billion rows, for which calamine ends the process
        dimensions = struct.pack("<HHII", 0x0200, 14, 0, 3)
        assert stream.count(dimensions) == 1
        stream = stream.replace(dimensions, struct.pack("<HHII", 0x0200, 14, 0, 0xFFFFFFF0))
    path = tmp_path / "book.xls"
    path.write_bytes(xls._compound(stream))
    assert zipfile.is_zipfile(path)
    found = read(path, format="xls")
    assert found.rows == [(2, "A1", "5", "2026-03-01")]
    assert [reject[:2] for reject in found.rejects] == [(3, ERROR)]
    assert found.counts.from_1904 is from_1904


def test_a_zip_behind_other_bytes_is_no_workbook(read: Reader) -> None:
    with pytest.raises(DataError, match="not a workbook that can be read"):
        read(b"MZ" + workbook(TABLE), format="xlsx")


RELATED, BOOK = "xl/_rels/workbook.xml.rels", "xl/workbook.xml"
FOUND = {
    "capitals": changed(workbook(TABLE), str.upper),
    "capitals in one name": changed(workbook(TABLE), lambda name: name.replace("sheet1", "Sheet1")),
    "back slashes": changed(workbook(TABLE), lambda name: name.replace("/", "\\")),
    "a whole path": changed(workbook(TABLE), str, (RELATED, '"worksheets/', '"/xl/worksheets/')),
    "a whole path in capitals": changed(workbook(TABLE), str, (RELATED, '"worksheets/', '"/XL/Worksheets/')),
    "another folder": changed(workbook(TABLE), lambda name: name.replace("xl/", "x/"), ("_rels/.rels", "xl/", "x/")),
    "a comment in the cell": workbook(TABLE.replace('t="e"', "t = 'e' ").replace("#N/A", "<!-- -->#N/A")),
}


@pytest.mark.parametrize("content", FOUND.values(), ids=FOUND)
def test_an_error_is_found_however_the_parts_are_named(read: Reader, content: bytes) -> None:
    found = read(content, format="xlsx")
    assert found.rows == [(2, "A1", "5")]
    assert [reject[:2] for reject in found.rejects] == [(3, ERROR)]


STYLES = '<Relationship Id="r9" Type="https://x/relationships/styles" Target="other.xml"/></Relationships>'
LOST = {
    "a part twice": workbook(TABLE, more={SHEET.upper(): b"<worksheet/>"}),
    "no such part": changed(workbook(TABLE), str, (RELATED, "sheet1", "sheet7")),
    "no part named": changed(workbook(TABLE), str, (BOOK, 'r:id="r1"', 'r:id="r7"')),
    "an id twice": changed(workbook(TABLE), str, (RELATED, 'Id="r2"', 'Id="r1"')),
    "a sheet twice": changed(workbook(TABLE), str, (BOOK, "</sheets>", '<sheet name="one" r:id="r1"/></sheets>')),
    "no list of parts": changed(workbook(TABLE), lambda name: name.replace("_rels/.rels", "rels")),
    "styles elsewhere, so that days are numbers": changed(workbook(TABLE), str, (RELATED, "</Relationships>", STYLES)),
    "two bytes a letter": workbook("", more={SHEET: f"<worksheet><sheetData>{TABLE}</sheetData></worksheet>".encode("utf-16")}),
}  # fmt: skip


@pytest.mark.parametrize("content", LOST.values(), ids=LOST)
def test_a_workbook_that_cannot_be_looked_through_is_refused(read: Reader, content: bytes) -> None:
    with pytest.raises(DataError) as caught:
        read(content, format="xlsx")
    assert caught.value.where.endswith("payload")
    assert "save it as .xlsx" in caught.value.mend


@pytest.mark.parametrize("said", ['date1904="1"', "date1904 = 'true'", " " * 300_000 + 'date1904="true"'])
def test_days_from_1904_are_told_however_it_is_written(read: Reader, said: str) -> None:
    content = changed(workbook(TABLE), str, (BOOK, "<sheets>", f"<workbookPr {said}/><sheets>"))
    assert read(content, format="xlsx").counts.from_1904


# ------------------------------------------------------------------------------------------------ cells that look empty

FORMULAS = {
    "<c><f>1+1</f></c>": NEVER,
    "<c><f>1+1</f><v/></c>": NEVER,
    "<c><f>1+1</f><v> </v></c>": NEVER,
    '<c t="str"><f>A1</f></c>': NEVER,
    '<c t="n"><f t="shared" ref="B6:B7" si="0">A1</f></c>': NEVER,
    '<c><f t="shared" si="0"/></c>': NEVER,
    '<c><f t="shared" si="0"/><v></v></c>': NEVER,
    '<c t="e"><f>1/0</f></c>': "the cell holds an error, such as #N/A",
    "<c><f>1+1</f><v>2</v></c>": "2",
    '<c t="str"><f>A1&amp;""</f><v></v></c>': None,
    '<c t="str"><f>A1</f><v>x</v></c>': "x",
    "<c><v/></c>": None,
    "<c/>": None,
    '<c><f t="array" ref="B15:B17">A1</f></c>': NEVER,
    "<c ></c>": NEVER,  # of the array
    "<c  ></c>": NEVER,
}


def test_a_formula_that_was_never_calculated_is_no_empty_cell(read: Reader) -> None:
    last = '<row r="40"><c r="B40"><f>1+1</f></c></row>'
    found = read(workbook(sheet_of(list(FORMULAS)) + last), format="xlsx")
    expected = dict(enumerate(FORMULAS.values(), start=2)) | {40: NEVER}
    rejected = {row for row, said in expected.items() if said and said.startswith("the cell")}
    assert found.rows == [(row, f"A{row}", said) for row, said in expected.items() if row not in rejected]
    assert [reject[:2] for reject in found.rejects] == [(row, f"net: {expected[row]}") for row in sorted(rejected)]
    assert (found.counts.records, found.counts.structural) == (39, 22)  # rows 18 to 39 are blank


def test_a_formula_of_a_program_that_does_not_calculate(read: Reader, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for row in (["doc", "net", "note"], ["A1", 5, "x"], ["A2", "=B2*2", "x"], ["=A2", None, '=CONCATENATE("a","b")']):
        book.active.append(row)
    book.save(tmp_path / "book.xlsx")
    found = read(tmp_path / "book.xlsx", format="xlsx")
    assert found.rows == [(2, "A1", "5", "x")]
    assert [reject[:2] for reject in found.rejects] == [(3, f"net: {NEVER}"), (4, f"doc, note: {NEVER}")]


def test_a_formula_in_the_header_is_refused(read: Reader, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for row in (["doc", '="n"&"et"', "note"], ["A1", 5, "x"]):
        book.active.append(row)
    book.save(tmp_path / "book.xlsx")
    with pytest.raises(DataError, match="in the header the cell holds a formula") as caught:
        read(tmp_path / "book.xlsx", format="xlsx")
    assert caught.value.where.endswith("book.xlsx:1")


# ------------------------------------------------------------------------------------------------ other sheets, tables

ROWS: list[list[xls.Cell]] = [["doc", "net"], ["A1", 5], ["A2", 6]]
ALIASES = {"dealer": ["doc"], "amount": ["net"]}


def new_book(sheets: dict[str, list[list[Any]]], hidden: str = "") -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for number, row in enumerate(rows):
                sheet.write_row(number, 0, row)
            if name == hidden:
                sheet.hide()
        book.add_chartsheet("Picture")
    return out.getvalue()


@pytest.mark.parametrize("form", ["xlsx", "xls"])
def test_sheets_that_are_not_read_are_named(read: Reader, form: str) -> None:
    sheets = {"March": ROWS, "Notes": [["x"], [None], ["net", "of tax"]], "Empty": [[None]], "Rates": [["USD", 7.1]]}
    made = new_book(sheets, hidden="Rates") if form == "xlsx" else xls._compound(old_book(sheets))
    found = read(made, format=form, aliases=ALIASES)
    assert found.rows == [(2, "A1", "5"), (3, "A2", "6")]
    assert found.counts.notes == ("sheet Notes was not read (2 rows)", "sheet Rates was not read (1 row)")
    assert read(made, format=form, aliases=ALIASES, sheet="March").counts.notes == ()


@pytest.mark.parametrize("form", ["xlsx", "xls"])
@pytest.mark.parametrize(
    ("second", "fields"),
    [
        pytest.param(ROWS, {"aliases": ALIASES}, id="the same"),
        pytest.param([["of April"], [None], ["net", "who", "doc"], [1, 2, 3]], {"aliases": ALIASES}, id="further down"),
        pytest.param([["DOC", "Net "], ["A9", 1]], {}, id="no names in the profile"),
    ],
)
def test_a_second_sheet_with_the_same_header_is_refused_until_the_profile_says_which(
    read: Reader, form: str, second: list[list[xls.Cell]], fields: dict[str, Any]
) -> None:
    sheets = {"March": ROWS, "Notes": [["x"]], "April": second}
    made = new_book(sheets) if form == "xlsx" else xls._compound(old_book(sheets))
    with pytest.raises(DataError, match="more than one sheet has the header of the table: March, April") as caught:
        read(made, format=form, **fields)
    assert "set sheet" in caught.value.mend
    assert len(read(made, format=form, sheet="March", **fields).rows) == 2


def test_a_sheet_with_the_header_alone_is_no_second_table(read: Reader) -> None:
    """A template that nobody filled: nothing of it could be lost."""
    found = read(new_book({"March": ROWS, "April": ROWS[:1]}), format="xlsx", aliases=ALIASES)
    assert len(found.rows) == 2
    assert found.counts.notes == ("sheet April was not read (1 row)",)


def test_another_table_below_in_the_same_sheet(read: Reader) -> None:
    """Its header names columns of the profile: its rows would go into the wrong columns."""
    below = [["Net", "Doc"], [7, "A3"], [None, None], ["DOC", "net"], ["A4", 8]]
    found = read(new_book({"a": [*ROWS, [None], *below]}), format="xlsx", aliases=ALIASES)
    assert found.rows == [(2, "A1", "5"), (3, "A2", "6"), (9, "A4", "8")]
    said = "it belongs to another table, whose header is in row 5"
    assert [reject[:2] for reject in found.rejects] == [(5, said), (6, said)]
    assert found.counts.structural == 3  # two blank rows and the header once more


@pytest.mark.parametrize(
    ("below", "noted"),
    [
        pytest.param([[None], ["Name", "Phone"], ["Li", "x"]], (5,), id="another header"),
        pytest.param([["Name", "Phone"]], (), id="no blank row before it"),
        pytest.param([[None], ["A3", 7]], (), id="a gap in the table"),
        pytest.param([[None], ["Checked by me"]], (), id="a remark"),
        pytest.param([[None], ["total", 11]], (), id="a total"),
    ],
)
def test_what_may_be_another_table_is_said(read: Reader, below: list[list[Any]], noted: tuple[int, ...]) -> None:
    found = read(new_book({"a": [*ROWS, *below]}), format="xlsx", aliases=ALIASES)
    assert [note.split()[1] for note in found.counts.notes] == [str(row) for row in noted]
    assert found.rejects == []


def test_a_table_beside_the_first_is_said(read: Reader) -> None:
    rows = [["doc", "net", None, "Name", "Phone"], ["A1", 5, None, "Li", 1]]
    found = read(new_book({"a": rows}), format="xlsx", aliases=ALIASES)
    assert found.counts.notes == ("2 columns behind an empty one, from the 4th on, may be another table",)
    named = {**ALIASES, "phone": ["Phone"]}
    assert read(new_book({"a": rows}), format="xlsx", aliases=named).counts.notes == ()


# ------------------------------------------------------------------------------------------------ leading zeros


@pytest.mark.parametrize(
    ("code", "value", "text"),
    [
        ("00000", 123.0, "00123"),
        ("00000", 0.0, "00000"),
        ("00000", 1234567.0, "1234567"),
        ("000-000", 12345.0, "012-345"),
        ("000-000", 1234567.0, "1234-567"),
        (r"000\-00\-0000", 78051120.0, "078-05-1120"),
        ('"D"0000', 12.0, "D0012"),
        ("[$-804]000000", 42.0, "000042"),
        ('"0"00', 5.0, "005"),
        ("00000", 12.5, 12.5),  # shown as 00013
        ("00000", -12.0, -12.0),
        ("00000", 1e15, 1e15),
        ("00000", "x", "x"),
        ("00000", True, True),
    ],
)
def test_a_number_is_what_its_format_shows(code: str, value: object, text: object) -> None:
    form = zeros_of(code)
    assert form is not None
    assert shown(value, form) == text


@pytest.mark.parametrize(
    "code", ["0", "0.00", "#,##0.00", "General", "yyyy-mm-dd", "00:00", "0%", '"00"0', "00E+00", "@"]
)
def test_no_other_format_shows_leading_zeros(code: str) -> None:
    assert zeros_of(code) is None


@pytest.mark.parametrize("form", ["xlsx", "xls"])
def test_codes_kept_as_numbers_are_read_as_excel_shows_them(read: Reader, form: str) -> None:
    if form == "xlsx":
        out = io.BytesIO()
        with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
            sheet = book.add_worksheet()
            sheet.write_row("A1", ["code", "net", "phone", "day"])
            for row, (code, phone) in enumerate([(123, 5551234), (4.5, 7)], start=1):
                sheet.write(row, 0, code, book.add_format({"num_format": "00000"}))
                sheet.write(row, 1, 5, book.add_format({"num_format": "#,##0.00"}))
                sheet.write(row, 2, phone, book.add_format({"num_format": "000-0000"}))
                sheet.write(row, 3, dt.datetime(2026, 3, 1), book.add_format({"num_format": "yyyy-mm-dd"}))
        content = out.getvalue()
        expected = [(2, "00123", "5", "555-1234", "2026-03-01"), (3, "4.5", "5", "000-0007", "2026-03-01")]
    else:
        rows: list[list[xls.Cell]] = [["code", "net"], [123, dt.time(12)], [4.5, dt.time(18)]]
        content = xls._compound(old_book({"a": rows}, {15: "00000", 17: "0.00"}))  # 17 is the style of times
        expected = [(2, "00123", "0.5"), (3, "4.5", "0.75")]
    assert read(content, format=form).rows == expected


FORMATS = (
    '<styleSheet><numFmts count="1"><numFmt numFmtId="164" formatCode="00000"/></numFmts>'
    '<cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="164"/></cellXfs></styleSheet>'
)
WRITTEN = {
    "as usual": ('<c s="1"><v>7</v></c>', FORMATS),
    "as a number": ('<c s="1" t="n"><v>7</v></c>', FORMATS),
    "in single quotes": ("<c s = '1'><v>7</v></c>", FORMATS),
    "the other way round": ('<c t="n" s="1"><v>7</v></c>', FORMATS),
    "by the style of all cells": ("<c><v>7</v></c>", FORMATS.replace('<xf numFmtId="0"/>', '<xf numFmtId="164"/>')),
}


@pytest.mark.parametrize(("cell", "styles"), WRITTEN.values(), ids=WRITTEN)
def test_leading_zeros_are_found_however_the_file_writes_them(read: Reader, cell: str, styles: str) -> None:
    text = '<c s="1" t="str"><v>7</v></c>'  # with the style of a number, and none
    made = workbook(sheet_of([cell, text, "<c s='1'/>"]), more={"xl/styles.xml": styles.encode()})
    assert read(made, format="xlsx").rows == [(2, "A2", "00007"), (3, "A3", "7"), (4, "A4", None)]


# ------------------------------------------------------------------------------------------------ a fault stays the file's

# Two cells at the ends of a sheet: its reader asks for the memory of 17 billion. Landing refuses it before.
KILLER = workbook(f'{HEAD}<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>')


def encrypted_by_columns() -> bytes:
    """A Parquet file of which one column is encrypted; the others and the footer can be read."""

    class Keys(encryption.KmsClient):
        def wrap_key(self, key_bytes: bytes, master_key_identifier: str) -> str:
            return key_bytes.hex()

    keys = encryption.CryptoFactory(lambda configuration: Keys())
    how = encryption.EncryptionConfiguration(footer_key="f", column_keys={"k": ["doc"]}, plaintext_footer=True)
    out = io.BytesIO()
    properties = keys.file_encryption_properties(encryption.KmsConnectionConfig(), how)
    with parquet.ParquetWriter(out, schema([("doc", string())]), encryption_properties=properties) as writer:
        writer.write_table(table({"doc": ["A1"]}))
    return out.getvalue()


def made_by_duckdb(path: Path, options: str = "") -> bytes:
    with duckdb.connect() as con:
        con.execute("set force_mbedtls_unsafe = true; pragma add_parquet_key('k', '0123456789112345')")
        con.execute(f"copy (select 'A1' as doc) to '{path}' (format parquet {options})")
    return path.read_bytes()


def test_a_file_that_breaks_its_reader_is_refused_and_the_others_go_on(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    plain = made_by_duckdb(tmp_path / "plain.parquet")
    contents = {
        "good.xlsx": workbook(TABLE),
        "killer.xlsx": KILLER,
        "after.xls": xls._compound(old_book({"a": ROWS})),
        "plain.parquet": plain,
        "invalid.parquet": said_to_be_encrypted(plain),
        "column.parquet": encrypted_by_columns(),
        "whole.parquet": made_by_duckdb(tmp_path / "whole.parquet", ", encryption_config {footer_key: 'k'}"),
        "cut.parquet": plain[: len(plain) // 2] + b"PAR1",
        "again.parquet": plain,
    }
    given = []
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
        spec = spec_of(format=name.rpartition(".")[2], aliases={"doc": []})
        given.append(File(tmp_path / name, spec, name))
    found = read_all(con, given, "raw", tmp_path)
    refused = {name: error for name, error in found.items() if isinstance(error, DataError)}
    assert {name: error.what for name, error in refused.items()} == {
        "killer.xlsx": "the file is not a workbook that can be read",
        "invalid.parquet": "the file is encrypted",
        "column.parquet": "the file is encrypted",
        "whole.parquet": "the file is encrypted",
        "cut.parquet": "the file is not Parquet, or damaged",
    }
    assert all(error.where == str(tmp_path / name) for name, error in refused.items())
    rows = con.execute("select _delivery_id, list(doc) from raw group by all order by all").fetchall()
    assert rows == [("after.xls", ["A1", "A2"]), ("again.parquet", ["A1"]), ("good.xlsx", ["A1"]), ("plain.parquet", ["A1"])]  # fmt: skip


def test_a_fault_of_the_runs_own_engine_names_the_file(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: object) -> None:
        raise duckdb.InternalException("INTERNAL Error: 4711")

    monkeypatch.setitem(files._READ, "csv", breaks)
    (tmp_path / "a.csv").write_bytes(b"doc\nA1\n")
    with pytest.raises(DealermartError, match=r"a\.csv: the engine broke down") as caught:
        read_all(con, [File(tmp_path / "a.csv", spec_of(), "a")], "raw", tmp_path)
    assert not isinstance(caught.value, DataError)
    assert "4711" not in str(caught.value)


def test_the_process_serves_many_files_and_is_there_again_after_one_that_was_left(read: Reader, tmp_path: Path) -> None:
    read(workbook(TABLE), format="xlsx")
    first = apart._child
    with pytest.raises(DataError, match="required columns are missing"):  # its rows are left
        read(new_book({"a": [["x"], *([number] for number in range(5000))]}), format="xlsx", aliases={"dealer": []})
    assert read(workbook(TABLE), format="xlsx").rows == [(2, "A1", "5")]
    assert first is not None
    assert apart._child is first

    first._process.kill()
    first._process.wait()
    assert read(workbook(TABLE), format="xlsx").rows == [(2, "A1", "5")]
    assert apart._child is not first
