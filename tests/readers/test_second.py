"""The second reader: what it sees in files of every format, by hand; it knows nothing of the first."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import zipfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from dealermart.readers.second import Lost, _fields, second_reading

from .conftest import spec_of


def seen(path: Path, told: str | None = None, **fields: Any) -> list[tuple[int, list[Any] | None]]:
    """Numbers and values of the records."""
    return [
        (number, None if cells is None else [value for _, value in cells])
        for number, cells in second_reading(path, spec_of(**fields), told)
    ]


TEXTS = {
    "plain": ("a,b\n1,x\n", {}, [(2, ["1", "x"])]),
    "no end of the last line": ("a,b\n1,x", {}, [(2, ["1", "x"])]),
    "blank lines are records": ("a,b\r\n\r\n1,x\r\n\r\n", {}, [(2, ["", ""]), (3, ["1", "x"]), (4, ["", ""])]),
    "quotes": ('a,b\n"1,2","x ""y"""\n', {}, [(2, ["1,2", 'x "y"'])]),
    "a newline in quotes": ('a,b\n1,"x\r\ny"\n2,z\n', {}, [(2, ["1", "x\r\ny"]), (3, ["2", "z"])]),
    "blanks around quotes": ('a,b\n  "1"  ,x\n', {}, [(2, ["1  ", "x"])]),
    "a stray quote in a value": ('a,b\n1,5" pipe\n', {}, [(2, ["1", '5" pipe'])]),
    "a quote that is never closed": ('a,b\n1,"x\n2,y\n', {}, [(2, None), (3, ["2", "y"])]),
    "text behind a closing quote ends with its line": ('a,b\n"1"x,"y\nz"\n2,y\n', {}, [(2, None), (3, ['z"', ""]), (4, ["2", "y"])]),
    "no quoting": ('a|b\n1|"x\n', {"delimiter": "|", "quote": ""}, [(2, ["1", '"x'])]),
    "a delimiter and row end of many signs": ("a+|b&|\n1+|x\ny&|\n", {"delimiter": "+|", "row_end": "&|\n", "quote": ""}, [(2, ["1", "x\ny"])]),
    "old Mac lines": ("a,b\r1,x\r", {}, [(2, ["1", "x"])]),
    "too few and too many": ("a,b\n1\n1,2,3\n", {}, [(2, ["1", ""]), (3, ["1", "2", "3"])]),
    "skipped lines, also with a quote": ('t"\n\na,b\n1,x\n', {"skip_rows": 2}, [(4, ["1", "x"])]),
    "a header that is found": ('"open\n\na,b\n1,x\n', {"header": "find", "columns": ["b", "a"]}, [(4, ["1", "x"])]),
    "no header": ("1,x\n", {"header": False, "columns": ["a", "b"]}, [(1, ["1", "x"])]),
    "a byte order mark": ("\ufeffa,b\n1,x\n", {}, [(2, ["1", "x"])]),
    "JSON lines": ('{"a": 1.50, "b": {"c": "x"}}\n\n{"a"\n[1]\nnull', {"format": "jsonl"}, [(1, [Decimal("1.50"), "x"]), (2, []), (3, None), (4, None), (5, [])]),
    "a list in a document": ('{"d": {"l": [{"a": 1}, {}, "x"]}}', {"format": "json", "records": "d.l"}, [(1, [1]), (2, []), (3, None)]),
    "a key that stands twice": ('[{"a": 1, "a": 2}]', {"format": "json"}, [(1, [1, 2])]),
}  # fmt: skip


@pytest.mark.parametrize("case", TEXTS)
def test_texts(tmp_path: Path, case: str) -> None:
    text, fields, expected = TEXTS[case]
    path = tmp_path / "payload"
    path.write_bytes(text.encode())
    assert seen(path, **fields) == expected


@pytest.mark.parametrize(
    ("codec", "stated", "told"),
    [("gb18030", "gb18030", None), ("gb18030", "auto", "gb18030"), ("utf-16-be", "utf-16", "utf-16-be"), ("cp1252", "cp1252", None)],
)  # fmt: skip
def test_encodings(tmp_path: Path, codec: str, stated: str, told: str | None) -> None:
    path = tmp_path / "payload"
    text = "a,b\n1,Müller\n" if codec == "cp1252" else "a,b\n1,经销商\n"
    path.write_bytes(text.encode(codec))
    assert seen(path, told, encoding=stated) == [(2, ["1", text[6:-1]])]


VALUES = st.text(alphabet="ab ,;\"\n\r'é中", max_size=8)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(rows=st.lists(st.lists(VALUES, min_size=1, max_size=4), min_size=1, max_size=4), sign=st.sampled_from(",;|\t"))
def test_fields_are_those_of_the_csv_module(rows: list[list[str]], sign: str) -> None:
    """What csv writes is read as csv reads it."""
    for row in rows:
        stream = io.StringIO()
        csv.writer(stream, delimiter=sign, lineterminator="\r\n").writerow(row)
        text = stream.getvalue().removesuffix("\r\n")
        expected = next(csv.reader(io.StringIO(text, newline=""), delimiter=sign, skipinitialspace=True))
        assert _fields(text, spec_of(delimiter=sign), "\n") == expected


def test_workbooks(tmp_path: Path) -> None:
    path = tmp_path / "book.xlsx"
    with xlsxwriter.Workbook(path) as book:
        book.add_worksheet("notes").write(0, 0, "x")
        sheet, day = book.add_worksheet("data"), book.add_format({"num_format": "yyyy-mm-dd"})
        sheet.write_row(1, 0, ["a", "b", "c"])
        sheet.write_row(2, 0, ["00124", 1.5, True])
        sheet.write_datetime(4, 0, dt.datetime(2026, 3, 1), day)
        sheet.write_formula(4, 1, "=1+1", value=2)
        sheet.write_blank(9, 0, None, day)  # a format and nothing else is no record
    assert seen(path, format="xlsx", sheet="data") == [
        (3, ["00124", 1.5, True]),
        (4, ["", "", ""]),
        (5, [dt.datetime(2026, 3, 1), 2, ""]),
    ]


def test_a_size_that_a_workbook_states_is_not_believed(tmp_path: Path) -> None:
    path = tmp_path / "book.xlsx"
    book = openpyxl.Workbook()
    for row in (["a"], [1], [2], [3]):
        book["Sheet"].append(row)
    book.save(path)
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    assert b'<dimension ref="A1:A4"' in parts[sheet]
    parts[sheet] = parts[sheet].replace(b'ref="A1:A4"', b'ref="A1:A2"')
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    assert seen(path, format="xlsx") == [(2, [1]), (3, [2]), (4, [3])]


def test_parquet(tmp_path: Path) -> None:
    path = tmp_path / "data.parquet"
    table = pa.table({"a": ["x", None], "b": pa.array([0.1, 2], pa.float32()), "c": [Decimal("1.50"), None]})
    pq.write_table(table, path, row_group_size=1)
    assert seen(path, format="parquet") == [
        (1, ["x", Decimal("0.1"), Decimal("1.50")]),
        (2, [None, Decimal("2.0"), None]),
    ]


@pytest.mark.parametrize(
    ("content", "fields"),
    [
        (b"PK\x03\x04 no workbook", {"format": "xlsx"}),
        (b"\xd0\xcf\x11\xe0 no old workbook", {"format": "xls"}),
        (b"PAR1", {"format": "parquet"}),
        (b'{"a": 1}', {"format": "json", "records": "b"}),
        (b"a,b\n", {"header": "find", "columns": ["z"]}),
    ],
)
def test_what_cannot_be_read_is_said(tmp_path: Path, content: bytes, fields: dict[str, Any]) -> None:
    path = tmp_path / "payload"
    path.write_bytes(content)
    with pytest.raises(Lost):
        seen(path, **fields)


def test_json_values_are_no_floats(tmp_path: Path) -> None:
    path = tmp_path / "payload"
    path.write_text(json.dumps([{"a": 0}]).replace("0", "10000000000000000000.01"), "utf-8")
    assert seen(path, format="json") == [(1, [Decimal("10000000000000000000.01")])]
