"""Workbooks, JSON, JSON lines and Parquet: what becomes text and how, and which rows count as what."""

import datetime as dt
import json
import re
import signal
import struct
import zipfile
from pathlib import Path

import duckdb
import pytest
import xlsxwriter

from dealermart.base import DataError
from dealermart.readers import apart, workbooks
from dealermart.readers.cells import cell_text
from dealermart.readers.workbooks import Looks, Parts
from sample_company import xls


def workbook(path: Path, sheets: dict[str, dict[str, object]]) -> Path:
    """Write cells, given by their names ('B3'), into sheets."""
    with xlsxwriter.Workbook(path) as book:
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        hours = book.add_format({"num_format": "[h]:mm:ss"})
        for name, cells in sheets.items():
            sheet = book.add_worksheet(name)
            for cell, value in cells.items():
                form = hours if isinstance(value, dt.timedelta) else day if isinstance(value, dt.datetime) else None
                sheet.write(cell, value, form)
    return path


def counted(found):
    return found.counts.records, found.counts.structural, found.counts.rejected


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (1.0, "1"),
        (-3.0, "-3"),
        (1.5, "1.5"),
        (0.1 + 0.2, "0.3"),
        (1234.5600000000002, "1234.56"),
        (1e-7, "0.0000001"),
        (9007199254740992.0, "9007199254740992"),
        (123456789012.25, "123456789012.25"),
        (1e20, "100000000000000000000"),
        (-0.0, "0"),
        (True, "true"),
        (False, "false"),
        ("  text ", "  text "),
        ("007", "007"),
        (dt.date(2026, 3, 1), "2026-03-01"),
        (dt.datetime(2026, 3, 1), "2026-03-01"),
        (dt.datetime(2026, 3, 1, 13, 5), "2026-03-01 13:05:00"),
        (dt.time(8, 30), "08:30:00"),
        (dt.timedelta(hours=26, minutes=3), "26:03:00"),
        (dt.timedelta(minutes=-90), "-01:30:00"),
    ],
    ids=repr,
)
def test_cell(cell, text):
    assert cell_text(cell) == text


def test_workbook(read, tmp_path):
    path = workbook(
        tmp_path / "book.xlsx",
        {
            "first": {
                "A1": "Code", "B1": "Day", "C1": "Amount", "D1": "OK", "E1": "Worked",
                "A2": 7, "B2": dt.datetime(2026, 3, 1), "C2": 1234.5, "D2": True, "E2": dt.timedelta(hours=30),
                "A3": " 007 ", "B3": dt.datetime(2026, 3, 1, 9, 15), "C3": "N/A",
                "A5": "code", "B5": "DAY", "C5": "amount", "D5": "ok", "E5": "worked",
                "A6": "合计", "C6": 1234.5,
                "A7": "x", "F7": "beyond",
            },
            "second": {"A1": "other"},
        },
    )  # fmt: skip
    found = read(path, format="xlsx", aliases={"dealer": ["code"]}, totals={"column": "dealer", "values": ["合计"]})
    assert found.columns == ["dealer", "Day", "Amount", "OK", "Worked"]
    assert found.rows == [
        (2, "7", "2026-03-01", "1234.5", "true", "30:00:00"),
        (3, "007", "2026-03-01 09:15:00", None, None, None),
    ]
    assert [(number, reason) for number, reason, _ in found.rejects] == [(7, "too many fields: 6 instead of 5")]
    assert counted(found) == (6, 3, 1)  # rows 2 to 7; row 4 is blank, 5 a header, 6 a total


def test_workbook_rows_are_numbered_as_excel_does(read, tmp_path):
    """Empty rows and columns before the first cell count."""
    path = workbook(tmp_path / "book.xlsx", {"s": {"B4": "a", "C4": "b", "B6": 1, "C6": 2}})
    found = read(path, format="xlsx")
    assert found.columns == ["column_1", "a", "b"]
    assert found.rows == [(6, None, "1", "2")]
    assert counted(found) == (2, 1, 0)


def test_workbook_sheet_skipped_rows_and_no_header(read, tmp_path):
    path = workbook(
        tmp_path / "book.xlsx", {"one": {"A1": "x"}, "two": {"A1": "Report of May", "A3": 1, "B3": 2, "A4": 3}}
    )
    found = read(path, format="xlsx", sheet="two", skip_rows=1, header=False, columns=["a", "b"])
    assert found.rows == [(3, "1", "2"), (4, "3", None)]
    assert counted(found) == (3, 1, 0)


def test_workbook_header_is_found(read, tmp_path):
    path = workbook(
        tmp_path / "book.xlsx",
        {
            "s": {
                "A1": "Dealers",
                "B1": "Code",
                "A3": "of May",
                "A5": "Code",
                "B5": "City\n（市）",
                "A6": 1,
                "B6": "x",
                "A7": "合 计",
            }
        },
    )
    totals = {"column": "dealer", "values": ["合计"]}
    found = read(path, format="xlsx", header="find", aliases={"dealer": ["code"], "city": ["City(市)"]}, totals=totals)
    assert found.rows == [(6, "1", "x")]
    assert counted(found) == (2, 1, 0)
    with pytest.raises(DataError, match="the likeliest one lacks town") as caught:
        read(path, format="xlsx", header="find", aliases={"dealer": ["code"], "town": []})
    assert caught.value.where == f"{path}:1"


def test_json(read):
    content = """{"meta": {"n": 5}, "data": {"items": [
        {"id": 10000000000000000001, "amount": 12.50, "owner": {"name": " 李 ", "id": null}, "tags": ["a", 1.10]},
        {"id": "2", "ok": true, "rate": 1E-5, "empty": {}},
        {},
        [1, 2],
        {"id": 1, "id": 2},
        null
    ]}}"""
    found = read(content.encode(), format="json", records="data.items", aliases={"owner": ["owner.name"]})
    assert found.columns == ["id", "amount", "owner", "owner.id", "tags", "ok", "rate"]
    assert found.rows == [
        (1, "10000000000000000001", "12.50", "李", None, '["a", 1.10]', None, None),
        (2, "2", None, None, None, None, "true", "1E-5"),
    ]
    assert found.rejects == [
        (4, "not a JSON object", "[1, 2]"),
        (5, "a key stands twice in one object: id", '{"id": 1, "id": 2}'),
    ]
    assert counted(found) == (6, 2, 2)


CLASH = "keys that differ by case, blanks or nesting only stand for one column"


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ('{"a": {"b": 1}, "a.b": 2}', f"{CLASH}: a.b"),
        ('{"a.b": 2, "a": {"b": 1}}', f"{CLASH}: a.b"),
        ('{"a": {"b": {"c": 1}}, "a.b": {"c": 2}}', f"{CLASH}: a.b.c"),
        ('{"Amount": 1, "amount": 2}', f"{CLASH}: Amount, amount"),
        ('{"amount": 1, " amount ": 2, "ＡＭＯＵＮＴ": 3}', f"{CLASH}: amount,  amount , ＡＭＯＵＮＴ"),
        ('{"x y": null, "xy": 2}', f"{CLASH}: x y, xy"),
        ('{"x": 1, "x": 2}', "a key stands twice in one object: x"),
        ('{"x": {"y": 1}, "x": {"z": 2}}', "a key stands twice in one object: x"),
        ('{"l": [{"x": 1, "x": 2}]}', "a key stands twice in one object: x"),
    ],
)
def test_json_keys_for_one_column_reject_the_record_and_lose_no_value(read, record, reason):
    found = read(f'{{"id": "1", "a.b": "p"}}\n{record}\n{{"id": "3", "A.B": "q"}}\n'.encode(), format="jsonl")
    assert found.rejects == [(2, reason, record)]
    assert [(row[0], row[1], row[2]) for row in found.rows] == [(1, "1", "p"), (3, "3", "q")]
    assert counted(found) == (3, 0, 1)


def test_json_keys_that_only_look_alike_are_columns_of_their_own(read):
    found = read(b'[{"a": {"b": 1, "c": 2}, "ab": 3, "b": 4}]', format="json")
    assert found.columns == ["a.b", "a.c", "ab", "b"]
    assert found.rows == [(1, "1", "2", "3", "4")]


def test_a_list_of_records_that_stands_twice_is_refused(read):
    with pytest.raises(DataError, match="'items' stands twice on the path"):
        read(b'{"data": {"items": [{"id": 1}], "items": [{"id": 2}]}}', format="json", records="data.items")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
def test_json_encoding(read, encoding):
    content = json.dumps([{"名称": "经销商"}], ensure_ascii=False).encode(encoding)
    assert read(content, format="json", encoding=encoding).rows == [(1, "经销商")]


def test_json_record_that_repeats_its_keys_is_a_record(read):
    assert read(b'[{"a": "a"}]', format="json").rows == [(1, "a")]


def test_json_lines(read):
    content = b'\xef\xbb\xbf{"a": 1, "b": "x"}\r\n\r\n{"a": 2.0, "c": "-"}\n{"a": \n[]\n{"b": "z"}'
    found = read(content, format="jsonl", aliases={"a": [], "d": []}, required_columns=["a"])
    assert found.columns == ["a", "b", "c", "d"]
    assert found.rows == [(1, "1", "x", None, None), (3, "2.0", None, None, None), (6, None, "z", None, None)]
    assert found.rejects == [(4, "not valid JSON", '{"a":'), (5, "not a JSON object", "[]")]
    assert counted(found) == (6, 1, 2)


def test_json_lines_in_another_encoding(read):
    content = '{"名称": "经销商"}\n{"名称": "b"}\n'.encode("utf-16")
    assert read(content, format="jsonl", encoding="utf-16").rows == [(1, "经销商"), (2, "b")]


def test_parquet(read, tmp_path):
    path = tmp_path / "data.parquet"
    with duckdb.connect() as con:
        con.execute(
            """
            copy (
                select * from (values
                    (1::bigint, 12.5000::decimal(18, 4), 2.0::double, ' x ', date '2026-03-01', timestamp '2026-03-01 10:00:00', true, ' \\xC3\\xA9\\xE3\\x80\\x80'::blob, [1, 2]),
                    (null, null, null, 'NULL', null, null, null, ' NULL '::blob, null),
                    (3::bigint, 0.1::decimal(18, 4), 0.1::double, null, null, null, false, '\\xFF'::blob, [])
                ) as t(Code, amount, rate, note, day, "at", ok, raw, list)
            ) to 'TARGET'
        """.replace("TARGET", path.as_posix())
        )
    found = read(path, format="parquet", aliases={"dealer": ["code"], "tier": []}, required_columns=["dealer"])
    assert found.columns == ["dealer", "amount", "rate", "note", "day", "at", "ok", "raw", "list", "tier"]
    assert found.rows == [
        (1, "1", "12.5000", "2", "x", "2026-03-01", "2026-03-01 10:00:00", "true", "é", "[1,2]", None),
        (3, "3", "0.1000", "0.1", None, None, None, "false", "FF", "[]", None),
    ]
    assert found.rejects == []
    assert counted(found) == (3, 1, 0)


def with_errors(path: Path) -> Path:
    """Rows 2 to 6: right; an error beside values; nothing but an error; a totals row with one; the text N/A, right."""
    with xlsxwriter.Workbook(path) as book:
        book.add_worksheet("cover").write("B2", "#N/A")
        sheet = book.add_worksheet("sales & more")
        sheet.write_row("A1", ["doc", "net", "note"])
        sheet.write_row("A2", ["A1", 5])
        sheet.write_row("A3", ["A2"])
        sheet.write_formula("B3", "=1/0", None, "#DIV/0!")
        sheet.write_formula("B4", "=NA()", None, "#N/A")
        sheet.write("A5", "Total")
        sheet.write_formula("B5", "=SUM(B2:B4)", None, "#N/A")
        sheet.write_row("A6", ["A3", 7, "N/A"])
        sheet.write_formula("E6", "=NA()", None, "#N/A")  # outside the table
        sheet.write_formula("C7", "=NA()", None, "#REF!")
    return path


def test_a_cell_that_holds_an_error_is_not_an_empty_one(read, tmp_path):
    totals = {"column": "doc", "values": ["Total"]}
    found = read(with_errors(tmp_path / "book.xlsx"), format="xlsx", sheet="sales & more", totals=totals)

    assert found.rows == [(2, "A1", "5", None), (6, "A3", "7", None)]
    said = "the cell holds an error, such as #N/A"
    assert [one[:2] for one in found.rejects] == [(3, f"net: {said}"), (4, f"net: {said}"), (7, f"note: {said}")]
    assert counted(found) == (6, 1, 3)


def test_an_error_is_found_however_the_file_writes_it(read, tmp_path):
    """Other programs write single quotes, a prefix before the tags, rows and cells without their place."""
    book = with_errors(tmp_path / "book.xlsx")
    other = tmp_path / "other.xlsx"
    with zipfile.ZipFile(book) as source, zipfile.ZipFile(other, "w") as into:
        for name in source.namelist():
            content = source.read(name)
            if name == "xl/worksheets/sheet2.xml":
                content = re.sub(rb' r="[A-Z]*[0-9]+"', b"", content).replace(b't="e"', b"t = 'e'")
                content = re.sub(rb"<(/?)(c|row|sheetData|v|f)(?=[ >/])", rb"<\1x:\2", content)
            into.writestr(name, content)

    with zipfile.ZipFile(other) as archive:
        found = Parts(archive).look("sales & more", {})
    assert found.errors == {3: [2], 4: [1], 5: [2], 6: [4], 7: [1]}


def test_a_cell_merged_with_the_one_above_is_not_an_empty_one(read, tmp_path):
    path = tmp_path / "book.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        sheet.merge_range("A1:C1", "Sales of March")
        sheet.merge_range("A2:A3", "doc")  # a header of two lines
        sheet.write_row("B2", ["net", "note"])
        sheet.merge_range("A4:A6", "A1")
        sheet.write_column("B4", [1, 2, 3])
        for column, value in ("A", "A2"), ("B", 4), ("C", "tall"):
            sheet.merge_range(f"{column}7:{column}8", value)
        sheet.merge_range("B9:C9", 5)
        sheet.write("A9", "A3")
    found = read(path, format="xlsx", skip_rows=1)

    assert found.rows == [(4, "A1", "1", None), (7, "A2", "4", "tall"), (9, "A3", "5", None)]
    said = "doc: the cell is merged with the one above it"
    assert found.rejects == [(5, said, "\t2\t"), (6, said, "\t3\t")]
    assert counted(found) == (7, 2, 2)  # rows 3 and 8 are blank


def test_merged_cells_that_overlap_are_refused_before_they_take_time(read, tmp_path):
    path = workbook(tmp_path / "book.xlsx", {"a": {"A1": "doc", "B1": "net", "A3000": "A1", "B3000": 1}})
    other = tmp_path / "other.xlsx"
    ranges = b"".join(b'<mergeCell ref="A1:B3000"/>' for _ in range(20_000))
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(other, "w") as into:
        for name in source.namelist():
            into.writestr(
                name,
                source.read(name).replace(b"</sheetData>", b"</sheetData><mergeCells>" + ranges + b"</mergeCells>"),
            )

    with pytest.raises(DataError, match="not a workbook that can be read"):
        read(other, format="xlsx")


def test_an_old_workbook_that_claims_to_be_larger_than_memory_is_read_for_what_it_holds(read, tmp_path):
    path = tmp_path / "book.xls"
    xls.write_xls(path, "a", [["doc", "net"], ["A1", 1.5]])
    dimensions = struct.pack("<HHIIHH", 0x0200, 14, 0, 2, 0, 2)
    content = path.read_bytes()
    assert content.count(dimensions) == 1
    path.write_bytes(content.replace(dimensions, struct.pack("<HHIIHH", 0x0200, 14, 0, 0xFFFFFFF0, 0, 0xFFF0)))

    assert read(path, format="xls").rows == [(2, "A1", "1.5")]


def test_an_old_workbook_that_takes_too_long_is_refused(read, tmp_path, monkeypatch):
    path = tmp_path / "book.xls"
    xls.write_xls(path, "a", [["doc", "net"], ["A1", 1.5]])
    monkeypatch.setattr(apart, "_MOST_SECONDS", 0.2)
    apart._ready()._process.send_signal(signal.SIGSTOP)

    with pytest.raises(DataError, match="not a workbook that can be read"):
        read(path, format="xls")
    monkeypatch.undo()
    assert read(path, format="xls").rows == [(2, "A1", "1.5")]


def test_an_old_workbook_says_what_its_cells_say(read, tmp_path):
    day, at, took = dt.date(2026, 3, 1), dt.time(8, 30), dt.timedelta(hours=30, minutes=5)
    for from_1904 in (False, True):
        path = tmp_path / f"{from_1904}.xls"
        head = ["doc", "day", "at", "took", "paid", "net"]
        xls.write_xls(path, "a", [head, ["上海", day, at, took, True, 0.1 + 0.2]], from_1904)
        found = read(path, format="xls")
        assert found.rows == [(2, "上海", "2026-03-01", "08:30:00", "30:05:00", "true", "0.3")]
        assert found.counts.from_1904 is from_1904


def test_a_number_that_is_no_day_of_the_calendar_is_left_as_it_is(read, tmp_path):
    path = tmp_path / "book.xls"
    xls.write_xls(path, "a", [["doc", "day"], ["A1", dt.date(2026, 3, 1)]])
    content, day = path.read_bytes(), struct.pack("<d", xls.day_number(dt.date(2026, 3, 1)))
    assert content.count(day) == 1
    path.write_bytes(content.replace(day, struct.pack("<d", 20260301)))

    assert read(path, format="xls").rows == [(2, "A1", "20260301")]


def test_errors_and_merged_cells_of_an_old_workbook_are_no_empty_ones(read, tmp_path):
    path = tmp_path / "book.xls"
    cells = [
        ["doc", "net", "note"],
        ["A1", 5],
        ["A2", xls.Error.DIV0],
        [None, xls.Error.NA],
        ["Total", xls.Error.REF],
        ["A3", 7, "N/A", None, xls.Error.NA],  # a text that means missing, and an error outside the table
        [None, 8],
    ]
    xls.write_xls(path, "a", cells, merged=[(5, 6, 0, 0)])
    found = read(path, format="xls", totals={"column": "doc", "values": ["Total"]})

    assert found.rows == [(2, "A1", "5", None), (6, "A3", "7", None)]
    assert found.rejects == [
        (3, "net: the cell holds an error, such as #N/A", "A2\t\t"),
        (4, "net: the cell holds an error, such as #N/A", "\t\t"),
        (7, "doc: the cell is merged with the one above it", "\t8\t"),
    ]
    assert counted(found) == (6, 1, 3)


@pytest.mark.parametrize("what", ["old", "new"])
def test_a_workbook_with_a_password_is_refused_as_such(read, tmp_path, what):
    """An old one says so in a record of its own (FILEPASS); a new one is a container that holds it encrypted."""
    path = tmp_path / "book.xls"
    xls.write_xls(path, "a", [["doc", "net"], ["A1", 1.5]])
    content = path.read_bytes()
    if what == "old":
        codepage = struct.pack("<HHH", 0x42, 2, 1200)
        assert content.count(codepage) == 1
        content = content.replace(codepage, struct.pack("<HHH", 0x2F, 2, 0))
    else:
        content = content.replace("Workbook".encode("utf-16-le"), "Werkbook".encode("utf-16-le"))
        content += "EncryptedPackage".encode("utf-16-le").ljust(512, b"\0")
    path.write_bytes(content)

    with pytest.raises(DataError, match="protected by a password"):
        read(path, format="xls")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (b'encoding="UTF-8"', b'encoding="gbk"', "unusual encoding"),
        (b"<workbook ", b"<!DOCTYPE a><workbook ", "document type"),
    ],
)
def test_a_part_that_cannot_be_looked_through_is_refused_by_the_files_name(read, tmp_path, old, new, said):
    path, other = workbook(tmp_path / "book.xlsx", {"a": {"A1": "doc", "A2": "A1"}}), tmp_path / "other.xlsx"
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(other, "w") as into:
        for name in source.namelist():
            content = source.read(name)
            into.writestr(name, content.replace(old, new) if name == "xl/workbook.xml" else content)

    with pytest.raises(DataError, match=said) as error:
        read(other, format="xlsx")
    assert error.value.where == str(other)


def test_a_long_formula_without_a_value_is_seen_over_the_border_of_two_pieces():
    """Of the piece before only so much is kept as is shorter than the longest formula."""
    text = b'<row r="1"><c r="A1"><f>' + b"1+" * 4_000 + b"1</f></c></row>"
    cut = text.index(b"</f>")
    assert not workbooks._quick_look([text[:cut], text[cut:]], Looks({}))
