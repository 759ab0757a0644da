"""Files that cannot be taken: each fault names what, where and how to mend it, and shows no value of the file."""

import pytest
import xlsxwriter
from pydantic import ValidationError

from dealermart.base import DataError
from dealermart.config import FileSpec
from dealermart.readers import delimited
from dealermart.readers.encodings import as_utf8
from sample_company.xls import write_xls

SECRET = "4711secret"
BAD_UTF8 = b"a,b\n1,x\n2,\xff4711secret\n"

# id: (content, profile, what is said, where: what follows the path)
FAULTS = {
    "empty file": (b"", {}, "the file is empty (0 bytes)", ""),
    "only a BOM": (b"\xef\xbb\xbf", {}, "no header and no records", ""),
    "only a BOM, no header": (b"\xef\xbb\xbf", {"header": False, "columns": ["a"]}, "holds no records", ""),
    "header only": (b"a,b\n", {}, "a header and no records", ""),
    "header without line end": (b"a,b", {}, "a header and no records", ""),
    "header and blank lines": (b"a,b\n\n,\n", {}, "holds no records", ""),
    "fewer lines than are skipped": (b"x\ny\n", {"skip_rows": 3}, "no header and no records", ""),
    "not UTF-8": (BAD_UTF8, {}, "not text in utf-8", ":3"),
    "not UTF-8, after a quoted newline": (b'a,b\n"1\n1",x\n2,\xff\n', {}, "not text in utf-8", ":4"),
    "not UTF-8, on the other road": (b'a,b\n1,5" 4711secret\n2,\xff\n', {"delimiter": ","}, "not text in utf-8", ":3"),
    "not UTF-8, in the header": (b"a,\xffb\n1,4711secret\n", {}, "not text in utf-8", ":1"),
    "not UTF-8, cut off at the end": (b"a,b\n1,4711secret\xe7\xbb", {}, "not text in utf-8", ":2"),
    "not GB18030": (b"a,b\n1,x\n2,\xff4711secret\n", {"encoding": "gb18030"}, "not text in gb18030", ":3"),
    "not cp1252": (b"a,b\n1,4711secret\x81\n", {"encoding": "cp1252"}, "not text in cp1252", ":2"),
    "not ASCII": (b"a,b\n1,4711secret\xe9\n", {"encoding": "ascii"}, "not text in ascii", ":2"),
    "half a UTF-16 character": ("a,b\n1,4711secret\n".encode("utf-16") + b"x", {"encoding": "utf-16"}, "not text in utf-16", ":3"),
    "UTF-16 said to be UTF-8": ("a,b\n1,4711secret\n".encode("utf-16"), {}, "byte order mark says utf-16", ":1"),
    "UTF-8 said to be GB18030": ("a,b\n1,4711secret\n".encode("utf-8-sig"), {"encoding": "gb18030"}, "byte order mark says utf-8", ":1"),
    "UTF-16 without a mark": ("a,b\n1,4711secret\n".encode("utf-16-le"), {}, "NUL characters in the header", ":1"),
    "missing column": (b"a,c\n1,4711secret\n", {"columns": ["a", "b"]}, "missing: b; the file has: a, c", ":1"),
    "missing column, line of the header": (b"t\n\na,c\n1,4711secret\n", {"skip_rows": 1, "columns": ["a", "b"]}, "missing: b; the file has: a, c", ":3"),
    "missing columns, header unknown": (b"4711secret,x\n1,2\n", {"columns": ["a", "b"]}, "missing: a, b; none of the 2 texts", ":1"),
    "semicolons said to be commas": (b"a;b\n1;4711secret\n", {"columns": ["a", "b"]}, "says that a comma stands between values, in the header it is a semicolon; the columns are: a, b", ":1"),
    "tabs said to be semicolons": (b'"a"\t"b"\n1\t4711secret\n', {"columns": ["a", "b"], "delimiter": ";"}, "says that a semicolon stands between values, in the header it is a tab; the columns are: a, b", ":1"),
    "commas said to be bars, one column lacks": (b"t\na,c\n1,4711secret\n", {"columns": ["a", "b"], "delimiter": "|", "skip_rows": 1}, "in the header it is a comma; the columns are: a, c", ":2"),
    "semicolons in a header that is found": (b"a;title\na;b\n1;4711secret\n", {"header": "find", "columns": ["a", "b"]}, "in the header it is a semicolon; the columns are: a, b", ":2"),
    "NUL characters under auto": ("a,b\n1,4711secret\n".encode("utf-32"), {"encoding": "auto"}, "NUL characters in the header: the text is not in utf-16", ":1"),
    "header that is found and cannot be read, repeated below": (b"title\na,\rb\n1,4711secret\na,b\n2,y\n", {"header": "find", "columns": ["a", "b"]}, "the header cannot be read: a carriage return inside a line", ":2"),
    "no header found": (b"title\na,c\n1,4711secret\n", {"header": "find", "columns": ["a", "b"]}, "no header in the first 30 records; the likeliest one lacks b", ":2"),
    "no header found far down": (b"\n" * 31 + b"a,b\n1,4711secret\n", {"header": "find", "columns": ["a", "b"]}, "no header in the first 30 records", ":1"),
    "two columns for one": (b"a,Code\n1,4711secret\n", {"aliases": {"a": ["code"]}}, "more than one column of the file stands for a", ":1"),
    "quote never closed": (b'a,b\n1,x\n2,"4711secret\n3,z\n', {}, "a quoted value begins here and is never closed", ":3"),
    "quote never closed in the header": (b'a,"b\n1,4711secret\n', {}, "a quoted value begins here and is never closed", ":1"),
    "header not in csv form": (b'"a"x,b\n1,4711secret\n', {}, "the header cannot be read", ":1"),
    "not a workbook": (b"a,b\n1,4711secret\n", {"format": "xlsx"}, "not a workbook", ""),
    "not JSON": (b'[{"a": 1},\n{"a": 4711secret}]', {"format": "json"}, "not valid JSON", ":2"),
    "JSON cut off": (b'[{"a": 1},\n{"a": "4711secret', {"format": "json"}, "not valid JSON", ":2"),
    "JSON nested too deeply": (b"[" * 100_000, {"format": "json"}, "nested too deeply", ""),
    "no list in JSON": (b'{"data": {"a": "4711secret"}}', {"format": "json", "records": "data"}, "no list of records", ""),
    "no such path in JSON": (b'{"data": ["4711secret"]}', {"format": "json", "records": "data.items"}, "no 'items' on the path data.items", ""),
    "no records in JSON": (b"[]", {"format": "json"}, "holds no records", ""),
    "only empty records in JSON": (b"[{}, null]", {"format": "json"}, "holds no records", ""),
    "missing column in JSON": (b'[{"a": 1, "c": "4711secret"}]', {"format": "json", "columns": ["a", "b"]}, "missing: b; the file has: a, c", ""),
    "JSON not in its encoding": (b'[{"a": 1},\n{"b": "\xff"}]', {"format": "json"}, "not text in utf-8", ":2"),
    "no line is JSON": (b"a,b\n1,4711secret\n", {"format": "jsonl"}, "no line holds JSON", ""),
    "JSON lines not in their encoding": (b'{"a": 1}\n{"a": "\xff"}\n', {"format": "jsonl"}, "not text in utf-8", ":2"),
    "not Parquet": (b"a,b\n1,4711secret\n", {"format": "parquet"}, "not Parquet", ""),
    "Parquet with a broken footer": (b"PAR1" + b"\xff4711secret" * 3 + b"\x21\0\0\0PAR1", {"format": "parquet"}, "not Parquet", ""),
    "Parquet cut off": (b"PAR1" + b"4711secret" * 10, {"format": "parquet"}, "not Parquet", ""),
}  # fmt: skip


@pytest.mark.parametrize(("content", "spec", "what", "where"), FAULTS.values(), ids=FAULTS.keys())
def test_fault(read, tmp_path, content, spec, what, where):
    with pytest.raises(DataError) as caught:
        read(content, **spec)
    error = caught.value
    assert what in error.what
    assert error.where == f"{tmp_path / 'payload'}{where}"
    assert error.mend
    assert SECRET not in str(error)
    assert list((tmp_path / "work").iterdir()) == []


def test_missing_file(read, tmp_path):
    with pytest.raises(DataError, match="the file does not exist") as caught:
        read(tmp_path / "gone.csv")
    assert caught.value.where == str(tmp_path / "gone.csv")


def test_unknown_encoding_is_refused_with_the_profile():
    with pytest.raises(ValidationError, match="unknown encoding 'utf-9'"):
        FileSpec(name="raw", pattern="*", format="csv", encoding="utf-9")


@pytest.mark.parametrize("encoding", ["utf-9", "base64"], ids=["no such", "not of text"])
def test_unknown_encoding(tmp_path, encoding):
    path = tmp_path / "payload"
    path.write_bytes(b"a,b\n")
    with pytest.raises(DataError, match=f"unknown encoding '{encoding}'"):
        as_utf8(path, encoding, tmp_path)


def test_line_without_an_end(read, monkeypatch):
    monkeypatch.setattr(delimited, "LONGEST_LINE", 1_000_000)
    with pytest.raises(DataError, match="a line is longer than"):
        read(b"a,b\n" + b"1,x" * 1_000_000, delimiter="+|", quote="", columns=[])


@pytest.mark.parametrize("length", [300, 600, 1000, 2000])
def test_workbook_cut_off(read, tmp_path, length):
    """Some of these make the library's Rust code panic, which no except clause for Exception sees."""
    path = tmp_path / "book.xls"
    write_xls(path, "s", [["a", "b"], ["1", "x"]])
    with pytest.raises(DataError, match="the file is not a workbook that can be read"):
        read(path.read_bytes()[:length], format="xls")


def test_sheet_that_is_not_there(read, tmp_path):
    path = tmp_path / "book.xlsx"
    with xlsxwriter.Workbook(path) as book:
        book.add_worksheet("January")
    with pytest.raises(DataError, match="there is no sheet February; the workbook has: January"):
        read(path, format="xlsx", sheet="February")


def test_empty_sheet(read, tmp_path):
    path = tmp_path / "book.xlsx"
    with xlsxwriter.Workbook(path) as book:
        book.add_worksheet("January")
    with pytest.raises(DataError, match="the sheet has no header and no records"):
        read(path, format="xlsx")


def test_sheet_with_a_header_only(read, tmp_path):
    path = tmp_path / "book.xlsx"
    with xlsxwriter.Workbook(path) as book:
        book.add_worksheet("January").write_row(0, 0, ["a", "b"])
    with pytest.raises(DataError, match="the file holds no records"):
        read(path, format="xlsx")


def test_parquet_without_rows(read, con, tmp_path):
    path = tmp_path / "none.parquet"
    con.execute(f"copy (select 1 as a where false) to '{path}' (format parquet)")
    with pytest.raises(DataError, match="the file holds no records"):
        read(path, format="parquet")
