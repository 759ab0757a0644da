"""CSV in its many forms. Rows, record numbers and counts are worked out by hand; each case runs on both roads."""

from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from dealermart import readers
from dealermart.base import DataError
from dealermart.config import FileSpec
from dealermart.config.profiles import NULLS
from dealermart.readers import delimited
from dealermart.readers import survey as survey_of
from dealermart.readers.damage import ERROR, SHORTENED
from dealermart.readers.files import read_file
from dealermart.readers.table import _word


@dataclass(frozen=True)
class Case:
    """A file, its profile, and what must come of it."""

    id: str
    content: bytes
    rows: list[tuple[Any, ...]]
    counts: tuple[int, int, int]
    rejects: list[tuple[int, str]] = field(default_factory=list)
    road: str = "engine"
    spec: dict[str, Any] = field(default_factory=dict)


AB = {"header": False, "columns": ["a", "b"]}
TWO = [(2, "1", "x"), (3, "2", "y")]

CASES = [
    Case("header", b"a,b\n1,x\n2,y\n", TWO, (2, 0, 0)),
    Case("no header", b"1,x\n2,y\n", [(1, "1", "x"), (2, "2", "y")], (2, 0, 0), spec=AB),
    Case("last line without end", b"a,b\n1,x\n2,y", TWO, (2, 0, 0)),
    Case("CRLF", b"a,b\r\n1,x\r\n2,y\r\n", TWO, (2, 0, 0)),
    Case("CRLF, last line without end", b"a,b\r\n1,x\r\n2,y", TWO, (2, 0, 0)),
    Case("CR only", b"a,b\r1,x\r2,y\r", TWO, (2, 0, 0), road="python"),
    Case("CR only with quoted CR", b'a,b\r1,"x\rz"\r', [(2, "1", "x\rz")], (1, 0, 0), road="python"),
    Case("CRLF and LF mixed", b"a,b\r\n1,x\n2,y\r\n", TWO, (2, 0, 0), road="python"),
    Case("double CR before LF", b"a,b\r\r\n1,x\r\r\n2,y\r\r\n", TWO, (2, 0, 0), road="python"),
    Case(
        "CR inside a line",
        b"a,b\n1\r2,x\n2,y\n",
        [(3, "2", "y")],
        (2, 0, 1),
        [(2, "a carriage return inside a line")],
        road="python",
    ),
    Case(
        "CR inside a line without quoting",
        b"a,b\n1\r2,x\n2,y\n",
        [(3, "2", "y")],
        (2, 0, 1),
        [(2, "a carriage return inside a line")],
        road="python",
        spec={"quote": ""},
    ),
    Case("UTF-8 BOM", b"\xef\xbb\xbfa,b\n1,x\n2,y\n", TWO, (2, 0, 0)),
    Case("UTF-8 BOM without header", b"\xef\xbb\xbf1,x\n", [(1, "1", "x")], (1, 0, 0), spec=AB),
    # -- delimiters --
    Case("semicolon", b"a;b\n1;x\n2;y\n", TWO, (2, 0, 0), spec={"delimiter": ";"}),
    Case("tab", b"a\tb\n1\tx\n2\ty\n", TWO, (2, 0, 0), spec={"delimiter": "\t"}),
    Case("tab, empty first and last value", b"a\tb\n\tx\n1\t\n", [(2, None, "x"), (3, "1", None)], (2, 0, 0), spec={"delimiter": "\t"}),
    Case("pipe", b"a|b\n1|x\n2|y\n", TWO, (2, 0, 0), spec={"delimiter": "|"}),
    Case("space", b"a b\n1 x\n2 y\n", TWO, (2, 0, 0), road="python", spec={"delimiter": " "}),
    Case("not ASCII", "a；b\n1；x\n2；y\n".encode(), TWO, (2, 0, 0), road="python", spec={"delimiter": "；"}),
    Case(
        "two characters, quoted",
        b'a+|b\n1+|"x+|""z""\nend"\n2+|y+\n',
        [(2, "1", 'x+|"z"\nend'), (3, "2", "y+")],
        (2, 0, 0),
        road="python",
        spec={"delimiter": "+|"},
    ),
    Case(
        "two characters, no quoting",
        b'1+|<a b="c"/>+|x\n2++|y|+|\n',
        [(1, "1", '<a b="c"/>', "x"), (2, "2+", "y|", None)],
        (2, 0, 0),
        road="python",
        spec={"delimiter": "+|", "quote": "", "header": False, "columns": ["a", "b", "c"]},
    ),
    Case(
        "row end of its own",
        b"a+|b&|\n1+|x\ny&|\n2+|&\r\n|z&|\n",
        [(2, "1", "x\ny"), (3, "2", "&\r\n|z")],
        (2, 0, 0),
        road="python",
        spec={"delimiter": "+|", "row_end": "&|\n", "quote": ""},
    ),
    Case(
        "row end of its own, inside quotes",
        b'a,b;\n1,"x;\ny\nz";\n2,y;\n',
        [(2, "1", "x;\ny\nz"), (3, "2", "y")],
        (2, 0, 0),
        road="python",
        spec={"row_end": ";\n"},
    ),
    Case("row end given as CRLF", b"a,b\r\n1,x\r\n2,y\r\n", TWO, (2, 0, 0), spec={"row_end": "\r\n"}),
    # -- quotes --
    Case(
        "delimiter, newline and quote in quotes",
        b'a,b\n1,"x,\ny ""z"""\n"2",""\n3,z\n',
        [(2, "1", 'x,\ny "z"'), (3, "2", None), (4, "3", "z")],
        (3, 0, 0),
    ),
    Case("LF in quotes, CRLF outside", b'a,b\r\n1,"x\ny"\r\n2,y\r\n', [(2, "1", "x\ny"), (3, "2", "y")], (2, 0, 0)),
    Case("CRLF in quotes, LF outside", b'a,b\n1,"x\r\ny"\n2,y\n', [(2, "1", "x\r\ny"), (3, "2", "y")], (2, 0, 0)),
    Case("CR in quotes", b'a,b\n1,"x\ry"\n2,y\n', [(2, "1", "x\ry"), (3, "2", "y")], (2, 0, 0)),
    Case("other quote", b"a,b\n1,'x,y'\n2,it''s\n", [(2, "1", "x,y"), (3, "2", "it''s")], (2, 0, 0), road="python", spec={"quote": "'"}),
    Case("other quote, plain", b"a,b\n1,'x,y'\n2,'it''s \"so\"'\n", [(2, "1", "x,y"), (3, "2", "it's \"so\"")], (2, 0, 0), spec={"quote": "'"}),
    Case("no quoting", b'a,b\n1,"x\n2,y"\n', [(2, "1", '"x'), (3, "2", 'y"')], (2, 0, 0), spec={"quote": ""}),
    Case("inch sign inside a value", b'a,b\n1,5" x 3"\n2,y\n', [(2, "1", '5" x 3"'), (3, "2", "y")], (2, 0, 0), road="python"),
    Case("space before a quote", b'a,b\n1, "x,z"\n2,y\n', [(2, "1", "x,z"), (3, "2", "y")], (2, 0, 0), road="python"),
    Case(
        "text after a closing quote",
        b'a,b\n1,"x"z\n2,y\n',
        [(3, "2", "y")],
        (2, 0, 1),
        [(2, "text after a closing quote")],
        road="python",
    ),
    Case("blanks after a closing quote", b'a,b\n1,"x,z"\t,\n"2" ,"y" \n"3"\t \t,"z\n"\t\r\n', [(2, "1", "x,z"), (3, "2", "y"), (4, "3", "z")], (3, 0, 0), road="python"),
    Case("blanks after a closing quote, other signs", b"a\tb\n'1' \t'x\t''z'' ' \n", [(2, "1", "x\t'z'")], (1, 0, 0), road="python", spec={"delimiter": "\t", "quote": "'"}),
    Case("blanks after quotes inside quotes", b'a,b\n1,"x "" ,"" ,y"\n"2","z\n"" , "" ,,"\t\n', [(2, "1", 'x " ," ,y'), (3, "2", 'z\n" , " ,,')], (2, 0, 0), road="python"),
    Case("blanks after a quote that closes nothing", b'a,b\n5" ,"x" \n6",y\n', [(2, '5"', "x"), (3, '6"', "y")], (2, 0, 0), road="python"),
    Case(
        "blanks and text after a closing quote",
        b'a,b\n1,"x" z\n2,y\n',
        [(3, "2", "y")],
        (2, 0, 1),
        [(2, "text after a closing quote")],
        road="python",
    ),
    Case("quoted header", b'"a","b"\n"1","x"\n"2","y"\n', TWO, (2, 0, 0)),
    Case("newline in the header", b'"a","b\nc"\n1,x\n2,y\n', TWO, (2, 0, 0), spec={"aliases": {"b": ["b\nc"]}}),
    # -- lines before the header --
    Case("skipped lines", b"Report,,\nof 2026\na,b\n1,x\n", [(4, "1", "x")], (1, 0, 0), spec={"skip_rows": 2}),
    Case("skipped line with a quote", b'5" pipes\na,b\n1,x\n', [(3, "1", "x")], (1, 0, 0), spec={"skip_rows": 1}),
    Case("skipped blank line", b"title\n\na,b\n1,x\n", [(4, "1", "x")], (1, 0, 0), spec={"skip_rows": 2}),
    Case("blank lines before the header", b"\n,,\na,b\n1,x\n", [(4, "1", "x")], (1, 0, 0)),
    Case("found header", "经销商名单\n2026年,,\n\n编码,x\n1,y\n".encode(), [(5, "1", "y")], (1, 0, 0), spec={"header": "find", "aliases": {"a": ["编码"], "b": ["x"]}}),
    Case("found header at once", b"a,b\n1,x\n", [(2, "1", "x")], (1, 0, 0), spec={"header": "find", "columns": ["a", "b"]}),
    Case("found header below a title with an open quote", b'"Report,of May\na,b\n1,x\n2,y\n', [(3, "1", "x"), (4, "2", "y")], (2, 0, 0), spec={"header": "find", "columns": ["a", "b"]}),
    Case("found header with a newline in it", b'title\n"a","b\nc"\n1,x\n', [(3, "1", "x")], (1, 0, 0), spec={"header": "find", "aliases": {"a": [], "b": ["B C"]}}),
    Case("found header below one of its words", b"a\na,b\n1,x\n", [(3, "1", "x")], (1, 0, 0), spec={"header": "find", "columns": ["a", "b"]}),
    Case("found header, skipped rows first", b"a,b\na,b\n1,x\n", [(3, "1", "x")], (1, 0, 0), spec={"header": "find", "skip_rows": 1, "columns": ["a", "b"]}),
    Case("skipped line without header", b"title\n1,x\n", [(2, "1", "x")], (1, 0, 0), spec={**AB, "skip_rows": 1}),
    # -- structural rows --
    Case(
        "totals beside an empty cell",
        b"a,b\n1,x\n,y\nsum,3\n",
        [(2, "1", "x"), (3, None, "y")],
        (3, 1, 0),
        spec={"totals": {"column": "a", "values": ["sum"]}},
    ),
    Case("blank lines", b"a,b\n\n1,x\n\n\n2,y\n\n", [(3, "1", "x"), (6, "2", "y")], (6, 4, 0)),
    Case("blank lines, CRLF", b"a,b\r\n\r\n1,x\r\n\r\n2,y\r\n", [(3, "1", "x"), (5, "2", "y")], (4, 2, 0)),
    Case("blank lines at the end", b"a,b\n1,x\n\n\n", [(2, "1", "x")], (3, 2, 0)),
    Case("lines of white space", "a,b\n  \n1,x\n \u3000\t\n".encode(), [(3, "1", "x")], (3, 2, 0)),
    Case("lines of delimiters", b"a,b\n,\n1,x\n,,,\n , \n", [(3, "1", "x")], (4, 3, 0)),
    Case("blank first line without header", b"\n1,x\n", [(2, "1", "x")], (2, 1, 0), spec=AB),
    Case("repeated header", b"a,b\n1,x\n a , B \n2,y\n", [(2, "1", "x"), (4, "2", "y")], (3, 1, 0)),
    Case("header in a file said to have none", b"a,b\n1,x\n", [(2, "1", "x")], (2, 1, 0), spec=AB),
    Case(
        "repeated header under another alias",
        "经销商,b\n1,x\na,b\n".encode(),
        [(2, "1", "x")],
        (2, 1, 0),
        spec={"aliases": {"a": ["经销商"]}},
    ),
    Case(
        "totals",
        "a,b\n1,x\n合计,y\n2,Total\nTOTAL,9\n".encode(),
        [(2, "1", "x"), (4, "2", "Total")],
        (4, 2, 0),
        spec={"totals": {"column": "a", "values": ["合计", "Total"]}},
    ),
    Case(
        "totals, spaced out and with a colon",
        "a,b\n1,x\n合 计,9\n合　计：,9\n合计:,9\n合,计\n".encode(),
        [(2, "1", "x"), (6, "合", "计")],
        (5, 3, 0),
        spec={"totals": {"column": "a", "values": ["合计"]}},
    ),
    Case(
        "totals row with too few fields",
        b"a,b,c\n1,x,y\nTotal,9\n",
        [(2, "1", "x", "y")],
        (2, 1, 0),
        spec={"totals": {"column": "a", "values": ["Total"]}},
    ),
    # -- rejected rows --
    Case(
        "too many and too few fields",
        b"a,b,c\n1,x,y\n2,x,y,z\n3,x\n4\n5,x,y\n",
        [(2, "1", "x", "y"), (6, "5", "x", "y")],
        (5, 0, 3),
        [(3, "too many fields: 4 instead of 3"), (4, "too few fields: 2 instead of 3"), (5, "too few fields: 1 instead of 3")],
    ),
    Case(
        "rejects after blank lines, quoted newlines and CRLF",
        b'a,b\r\n\r\n1,"x\r\n\r\ny"\r\n2\r\n\r\n\r\n3,y,z\r\n4,z\r\n',
        [(3, "1", "x\r\n\r\ny"), (8, "4", "z")],
        (7, 3, 2),
        [(4, "too few fields: 1 instead of 2"), (7, "too many fields: 3 instead of 2")],
    ),
    Case(
        "rejected first and last record behind a BOM",
        b"\xef\xbb\xbf1\n2,y\n3,y,z",
        [(2, "2", "y")],
        (3, 0, 2),
        [(1, "too few fields: 1 instead of 2"), (3, "too many fields: 3 instead of 2")],
        spec=AB,
    ),
    Case("empty fields after the last", b"a,b,\n1,x,\n2,y,,\n", TWO, (2, 0, 0)),
    Case(
        "NUL", b"a,b\n1,x\x00\n2,y\n", [(3, "2", "y")], (2, 0, 1), [(2, "a NUL character")], road="python"
    ),
    Case(
        "all rejected", b"a,b\n1\n2\n", [], (2, 0, 2),
        [(2, "too few fields: 1 instead of 2"), (3, "too few fields: 1 instead of 2")],
    ),
    # -- values --
    Case("trimmed", "a,b\n 1 ,\tx\u3000\n2,\xa0y z \n".encode(), [(2, "1", "x"), (3, "2", "y z")], (2, 0, 0)),
    Case("trimmed of CR in quotes", b'a,b\n1,"x\r"\n', [(2, "1", "x")], (1, 0, 0)),
    Case("trimmed of tab in quotes", b'a\tb\n1\t"\tx"\n', [(2, "1", "x")], (1, 0, 0), spec={"delimiter": "\t"}),
    Case("trimmed in quotes", b'a,b\n" 1 ","\nx"\n', [(2, "1", "x")], (1, 0, 0)),
    Case(
        "missing by default",
        "a,b\n1,NULL\n2,-\n3,\"N/A\"\n4,无\n5, null \n6,\n7,n/a\n8,——\n9,未填\n10,空\n11,—\n12,none\n13,NA\n".encode(),
        [(n, str(n - 1), None) for n in range(2, 13)] + [(13, "12", "none"), (14, "13", "NA")],
        (13, 0, 0),
    ),
    Case(
        "nothing but words that mean missing", "a,b\n-,无\n1,x\n".encode(), [(3, "1", "x")], (2, 1, 0),
    ),
    # -- what a spreadsheet leaves --
    Case(
        "a text in a formula",
        b'code,b\n="00124",="a ""b"""\n"=""007""",="x"\n= "1",="a"&"b"\n',
        [(2, "00124", 'a "b"'), (3, "007", "x"), (4, '= "1"', '="a"&"b"')],
        (3, 0, 0),
        road="python",
    ),
    Case(
        "a text in a formula, quoted", b'a,b\n"=""00124""","="""""\n2,"=""-"""\n', [(2, "00124", None), (3, "2", None)], (2, 0, 0),
    ),
    Case(
        "errors of a spreadsheet",
        b"a,b,c\n1,#REF!,x\n2,####,#NAME?\n3,#1,##\n#N/A,,\n5,\"#DIV/0!\",\"a,\"\"b\"\n6,Err:502,\n7,#BEZUG!,\nTotal,#N/A,\n",
        [(4, "3", "#1", "##")],
        (8, 1, 6),
        [
            (2, f"b: {ERROR}"), (3, f"b, c: {ERROR}"), (5, f"a: {ERROR}"), (6, f"b: {ERROR}"), (7, f"b: {ERROR}"),
            (8, f"b: {ERROR}"),
        ],
        spec={"totals": {"column": "a", "values": ["Total"]}},
    ),
    Case(
        "an error that the profile lists", b"a,b\n1,#N/A\n2,#REF!\n", [(2, "1", None)], (2, 0, 1), [(3, f"b: {ERROR}")],
        spec={"more_nulls": ["#N/A"]},
    ),
    Case(
        "a key that a spreadsheet shortened", b"a,b\n4.50001E+11,1E+05\nE+11,4.5E+11\n1e5,x\n",
        [(3, "E+11", "4.5E+11"), (4, "1e5", "x")], (3, 0, 1), [(2, f"a: {SHORTENED}")], spec={"key": ["a"]},
    ),
    # -- what nobody sees --
    Case(
        "invisible signs",
        "a,b\n\u200bI1,\ufeffx\u200e\nI\ufeff2\u200e,a\u200db\u200d\n\u202aI3\u202c,\u200b\n\u00adI4,\u2067 y \u2069\n".encode(),
        [(2, "I1", "x"), (3, "I2", "a\u200db"), (4, "I3", None), (5, "I4", "y")],
        (4, 0, 0),
    ),
    Case(
        "signs in codes and in texts",
        "dealer_id,name,ref_no,video\nＩ\u200c１,ＡＢＣ\u3000（1）,（1）,ｘ\n\u3000D－７\u3000,é\u200cb,Ⅷ㎏,１\n".encode(),
        [(2, "I1", "ＡＢＣ\u3000（1）", "(1)", "ｘ"), (3, "D-7", "é\u200cb", "Ⅷ㎏", "１")],
        (2, 0, 0),
    ),
    Case("signs in a key", "code2,b\nＩ１,Ｉ１\n".encode(), [(2, "I1", "Ｉ１")], (1, 0, 0), spec={"key": ["code2"]}),
    Case("missing by default and besides", b"a,b\n1,none\n2,NULL\n3,x\n", [(2, "1", None), (3, "2", None), (4, "3", "x")], (3, 0, 0), spec={"more_nulls": ["none"]}),
    Case("missing as the profile says", b"a,b\n1,?\n2,NULL\n3,\n4,\"\"\n", [(2, "1", None), (3, "2", "NULL"), (4, "3", ""), (5, "4", "")], (4, 0, 0), spec={"nulls": ["?"]}),
    Case("nothing means missing", b"a,b\n1,\n2,NULL\n,\n", [(2, "1", ""), (3, "2", "NULL")], (3, 1, 0), spec={"nulls": []}),
    Case("text stays text", b"a,b\n007,1e5\n+1,2026-3-1\n", [(2, "007", "1e5"), (3, "+1", "2026-3-1")], (2, 0, 0)),
    Case("one column", b"a\n1\n\n2\n", [(2, "1"), (4, "2")], (3, 1, 0), road="python"),
    Case("a value of 3 MB", b"a,b\n1," + b"x" * 3_000_000 + b"\n", [(2, "1", "x" * 3_000_000)], (1, 0, 0), road="python"),
]  # fmt: skip


@pytest.mark.parametrize("only_python", [False, True], ids=["", "python"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_file(read, case, only_python):
    found = read(case.content, only_python=only_python, **case.spec)
    assert found.rows == case.rows
    assert [(number, reason) for number, reason, _ in found.rejects] == case.rejects
    assert (found.counts.records, found.counts.structural, found.counts.rejected) == case.counts
    assert found.road == ("python" if only_python else case.road)


def swallowed(line, lines):
    return f"a stray quote: a value of the record in line {line} holds {lines} lines like records"


ABC = {"header": False, "columns": ["a", "b", "c"]}

# id: file, profile, rows as first values, rejects as (record, reason)
SWALLOWED = {
    "three rows apart": (b'a,b,c\n1,x,5\n2,"x,5\n3,y,6\n4,z,7\n5,w",8\n6,x,9\n', {}, "16", [(3, swallowed(3, 3))]),
    "three rows apart, CRLF": (b'a,b,c\r\n1,x,5\r\n2,"x,5\r\n3,y,6\r\n4,w",8\r\n6,x,9\r\n', {}, "16", [(3, swallowed(3, 2))]),
    "two rows": (b'1,x,5\n2,"x,5\n3,w",8\n6,x,9\n', ABC, "16", [(2, swallowed(2, 1))]),
    "two rows, first column": (b'1,x,5\n"2,x,5\n3",w,8\n6,x,9\n', ABC, "16", [(2, swallowed(2, 1))]),
    "two rows, last column": (b'1,x,5\n2,x,"5\n3,w,8"\n6,x,9\n', ABC, "16", [(2, swallowed(2, 1))]),
    "two columns": (b'a,b\n2,"x\n3,y\n4,z"\n5,x\n', {}, "5", [(2, swallowed(2, 2))]),
    "behind a long text": (b'1,"x\ny",5\n2,"x,5\n3,y,6\n4,w",8\n', ABC, "1", [(2, swallowed(3, 2))]),
    "semicolon": (b'1;x;5\n2;"x;5\n3;y;6\n4;w";8\n', {**ABC, "delimiter": ";"}, "1", [(2, swallowed(2, 2))]),
    "tab": (b'1\tx\t5\n2\t"x\t5\n3\ty\t6\n4\tw"\t8\n', {**ABC, "delimiter": "\t"}, "1", [(2, swallowed(2, 2))]),
    "pipe": (b'1|x|5\n2|"x|5\n3|y|6\n4|w"|8\n', {**ABC, "delimiter": "|"}, "1", [(2, swallowed(2, 2))]),
    "two characters": (b'1+|x+|5\n2+|"x+|5\n3+|y+|6\n4+|w"+|8\n', {**ABC, "delimiter": "+|"}, "1", [(2, swallowed(2, 2))]),
    "row end of its own": (b'1,x,5;\n2,"x,5;\n3,y,6;\n4,w",8;\n', {**ABC, "row_end": ";\n"}, "1", [(2, swallowed(2, 2))]),
    "CR only": (b'1,x,5\r2,"x,5\r3,y,6\r4,w",8\r', ABC, "1", [(2, swallowed(2, 2))]),
    "blank behind each delimiter": (b'1, x, 5\n2, "x, 5\n3, y, 6\n4, w", 8\n', ABC, "1", [(2, swallowed(2, 2))]),
    "delimiter at the end of each line": (b'1,x,5,\n2,"x,5,\n3,y,6,\n4,w",8,\n', ABC, "1", [(2, swallowed(2, 2))]),
    "in one column and closed in another": (b'1,x,5\n2,"x,5\n3,y,6\n4,w,8"\n5,x,5\n', ABC, "15", [(2, swallowed(2, 1))]),
    "closed by the next quoted value": (b'1,x,5\n2,"x,5\n3,y,6\n4,"w, v",8\n5,x,5\n', ABC, "15", [(2, swallowed(2, 1))]),
    "closed by it in the next row": (b'1,x,5\n2,"x,5\n4,"w, v",8\n5,x,5\n', ABC, "15", [(2, "text after a closing quote")]),
    "closed by an empty quoted value and on": (b'1,x,5\n2,"x,5\n3,"",6\n4,w",8\n5,x,5\n', ABC, "15", [(2, swallowed(2, 2))]),
    "all in one row": (b'1,x,5\n2,"x,6",5\n3,"y"" z",5\n', ABC, "123", []),
    "an address of three lines": (b'1,"Mill Lane 5\nFloor 2, Room 7\nYork",5\n2,x,5\n', ABC, "12", []),
    "a letter with many commas": (b'1,"Dear Sir, dear Madam, all,\nwe, the undersigned, ask you, please,\nto come",5\n', ABC, "1", []),
    "a comma or two": (b'1,"x\nred,blue\ny",5\n2,"x,y\nz",6\n3,x,"1\n2,3"\n', ABC, "123", []),
    "a letter in a table of two columns": (b'a,b\n1,"Dear Sir,\nI thank you,\nyours"\n2,x\n', {}, "12", []),
    "an address with as many commas": (b'1,"Mill Lane 5,York,UK\nHall 2,Leeds,UK\nDock 7",5\n2,x,5\n', ABC, "12", []),
    "the first row is short": (b'1,x,5\n2,"x\n3,y,6\n4,z,7\n5,w,7\n6,v,7\n7,w",8\n', ABC, "1", [(2, swallowed(2, 4))]),
    "long texts side by side": (b'1,"x\ny","z\nw"\n"2\n3",x,"5\n6"\n', ABC, ["1", "2\n3"], []),
    "one column": (b'a\n"1\n2\n3"\n4\n', {}, ["1\n2\n3", "4"], []),
    "no quoting": (b'1,"x,5\n2,y",6\n', {**ABC, "quote": ""}, "12", []),
}  # fmt: skip


@pytest.mark.parametrize("only_python", [False, True], ids=["", "python"])
@pytest.mark.parametrize(("content", "spec", "kept", "rejects"), SWALLOWED.values(), ids=SWALLOWED.keys())
def test_a_stray_quote_makes_no_value_of_records(read, content, spec, kept, rejects, only_python):
    """The records in such a value are rejected with their text, and texts of several lines are taken."""
    found = read(content, only_python=only_python, **spec)
    assert [row[1] for row in found.rows] == list(kept)
    assert [(number, reason) for number, reason, _ in found.rejects] == rejects
    assert found.counts.rejected == len(rejects)
    for _, _, text in found.rejects:
        assert text.lstrip('"')[0] == "2"
        assert text.splitlines() == [
            line for line in content.decode().replace(";\n", "\n").splitlines() if line in text
        ]


def test_quotes_that_swallow_thousands_of_rows_refuse_the_file(read):
    """In one of two places 9,000 of 30,000 rows stand between two stray quotes; the pieces read are of a megabyte."""
    lines = [f"{number},dealer number {number} of the north,{number % 7}" for number in range(1, 30_001)]
    for first in (5_000, 20_000):
        stray = list(lines)
        stray[first] = stray[first].replace("dealer", '"dealer')
        stray[first + 9_000] = stray[first + 9_000].replace("north", 'north"')
        with pytest.raises(DataError, match="holds 9000 lines like records") as caught:
            read("\n".join(stray).encode(), **ABC)
        assert caught.value.where.endswith(f":{first + 1}")
        assert "quote" in caught.value.mend


def test_long_texts_stay_with_the_engine(read):
    """Where lines are counted inside quotes, over the borders of pieces: values of 800 kB, with delimiters or without."""
    text = ("a line of text, with a comma or two, and more\n" * 17_000).rstrip()
    found = read(f'1,"{text}",5\n2,x,"{text.replace(",", "")}"\n3,x,5\n'.encode(), **ABC)
    assert [row[1] for row in found.rows] == ["1", "2", "3"]
    assert found.road == "engine"


def test_the_survey_counts_inside_quotes_over_the_borders_of_pieces(tmp_path, monkeypatch):
    """Each line a piece: what is suspected does not hang on where pieces end."""
    path = tmp_path / "file"
    path.write_bytes(b'1,"a,b\nc,d\n,e",5\n2,x,5\n3,"y\nz",5\n4,"a,\n,b",5\n')
    for size in (1, 7, 1_000):
        monkeypatch.setattr(survey_of, "_CHUNK", size)
        assert survey_of.survey(path, 0, 1, ",", '"', 3).loose == [(0, 0, 16), (3, 33, 44)]


@pytest.mark.parametrize("only_python", [False, True], ids=["", "python"])
def test_rejects_carry_their_text(read, only_python):
    found = read(b'a,b\r\n1,"x\r\ny",z\r\n\r\n2\r\n', only_python=only_python)
    assert [line for _, _, line in found.rejects] == ['1,"x\r\ny",z', "2"]


TEXT = "编号,名称\n1,经销商\n2,é无线\n"
ROWS = [(2, "1", "经销商"), (3, "2", "é无线")]


@pytest.mark.parametrize(
    ("encoding", "content"),
    [
        ("utf-8", TEXT.encode()),
        ("UTF8", TEXT.encode("utf-8-sig")),
        ("utf-8-sig", TEXT.encode("utf-8-sig")),
        ("utf-16", TEXT.encode("utf-16")),
        ("utf-16", b"\xfe\xff" + TEXT.encode("utf-16-be")),
        ("utf-16-le", TEXT.encode("utf-16-le")),
        ("utf-16-le", b"\xff\xfe" + TEXT.encode("utf-16-le")),
        ("utf-32", TEXT.encode("utf-32")),
        ("gb18030", TEXT.encode("gb18030")),
    ],
    ids=["utf-8", "UTF8 BOM", "utf-8-sig", "utf-16", "utf-16 BE BOM", "utf-16-le", "utf-16-le BOM", "utf-32", "gb18030"],
)  # fmt: skip
def test_encoding(read, encoding, content):
    found = read(content, encoding=encoding)
    assert found.columns == ["编号", "名称"]
    assert found.rows == ROWS


@pytest.mark.parametrize(
    ("encoding", "content", "value"),
    [
        ("cp1252", b"a,b\n1,caf\xe9 \x80\n", "café €"),
        ("latin-1", b"a,b\n1,caf\xe9\n", "café"),
        ("gbk", b"a,b\n1,\xce\xde\xcf\xdf\n", "无线"),
        ("big5", b"a,b\n1,\xb8g\xbeP\n", "經銷"),
        ("shift_jis", b"a,b\n1,\x83\x5c\x83\x5c\n", "ソソ"),
    ],
)
def test_legacy_encoding(read, encoding, content, value):
    assert read(content, encoding=encoding).rows == [(2, "1", value)]


def test_transcoding_crosses_pieces(read):
    """A character of two to four bytes stands across the border of two pieces read."""
    value = "a经销商𠮷" * 200_000
    found = read(f"a,b\n1,{value}\n2,y\n".encode("gb18030"), encoding="gb18030")
    assert found.rows == [(2, "1", value), (3, "2", "y")]


@pytest.mark.parametrize(
    ("header", "spec", "columns"),
    [
        ("Dealer Code,Amount", {"aliases": {"dealer": ["dealer code"], "amount": []}}, ["dealer", "amount"]),
        ("经销商编号 ,x", {"aliases": {"dealer": ["Dealer Code", "经销商编号"]}}, ["dealer", "x"]),
        ("DEALER,x", {"columns": ["dealer"]}, ["dealer", "x"]),
        ("Ｄｅａｌｅｒ　Ｃｏｄｅ １,x", {"aliases": {"dealer": ["dealer code 1"]}}, ["dealer", "x"]),
        ('"经销商\n编号（新）",x', {"aliases": {"dealer": ["经销商编号(新)"]}}, ["dealer", "x"]),
        ('"Net\r\n Amount",x', {"aliases": {"net": ["net amount"]}}, ["net", "x"]),
        ("​net﻿,x", {"columns": ["net"]}, ["net", "x"]),
        ("x,dealer", {"aliases": {"dealer": [], "note": []}, "required_columns": ["dealer"]}, ["x", "dealer", "note"]),
        ("a,A", {}, ["a", "A_2"]),
        ("a,,b", {}, ["a", "column_2", "b"]),
        ("_row_number,_Delivery_ID", {}, ["_row_number_2", "_Delivery_ID_2"]),
        ('"it\'s a ""name""",b', {}, ['it\'s a "name"', "b"]),
    ],
    ids=["alias", "Chinese alias", "name itself", "full-width", "newline and wide parentheses", "newline and spaces", "invisible signs", "optional one absent", "same text twice", "no text", "reserved", "quotes"],
)  # fmt: skip
@pytest.mark.parametrize("only_python", [False, True], ids=["", "python"])
def test_header(read, header, spec, columns, only_python):
    record = ",".join(str(n) for n in range(header.count(",") + 1))
    found = read(f"{header}\n{record}\n".encode(), only_python=only_python, **spec)
    assert found.columns == columns
    values = [str(n) for n in range(header.count(",") + 1)]
    assert found.rows == [(2, *values, *[None] * (len(columns) - len(values)))]


def test_engine_and_count_must_agree(read, monkeypatch):
    """Where the engine loses a record, the other road reads the file and nothing is lost."""
    true_survey = delimited.survey

    def one_more(*args):
        found = true_survey(*args)
        return replace(found, records=found.records + 1)

    monkeypatch.setattr(delimited, "survey", one_more)
    found = read(b"a,b\n1,x\n2,y\n")
    assert (found.rows, found.road) == (TWO, "python")


def test_engine_and_file_must_agree(read, monkeypatch):
    """Where rows come in another order than the file has them, the other road reads the file."""

    in_order = delimited._rows

    def other_order(*args):
        return f"select * from ({in_order(*args)}) order by all desc"

    monkeypatch.setattr(delimited, "_rows", other_order)
    found = read(b"a,b\n1,x\n2,y\n")
    assert (found.rows, found.road) == (TWO, "python")


@pytest.mark.parametrize("every", [None, 1000], ids=["no blank lines", "blank lines and headers between"])
def test_each_row_of_a_large_file_has_its_own_number(con, tmp_path, every):
    """Several row groups, read by several threads: each record says its own number."""
    lines = ["a,b"]
    for number in range(2, 400_001):
        if every and number % every == 0:
            lines.append("" if number % (2 * every) else "a,b")
        else:
            lines.append(f"{number},{number % 7}")
    path = tmp_path / "large.csv"
    path.write_text("\n".join(lines) + "\n")
    spec = FileSpec(name="raw", pattern="*", format="csv")
    counts = read_file(con, path, spec, "raw", "d", tmp_path)
    between = 400 if every else 0
    assert (counts.records, counts.structural, counts.rejected) == (399_999, between, 0)
    found = con.execute("""
        select count(*), count(*) filter (cast(a as bigint) <> _row_number), max(_row_number), min(_delivery_id) from raw
    """).fetchall()
    assert found == [(399_999 - between, 0, 400_000 if not every else 399_999, "d")]
    assert con.execute("select _row_number from raw limit 3 offset 200000").fetchall() == [
        (number,) for number in ([200_202, 200_203, 200_204] if every else [200_002, 200_003, 200_004])
    ]
    readers.drop(con, "raw")
    assert con.execute("select count(*) from information_schema.tables").fetchall() == [(0,)]


def test_a_column_may_be_called_as_the_place_of_a_row(read):
    found = read(b"rowid,b\n7,x\n")
    assert found.rows == [(2, "7", "x")]
    assert "rowid" not in found.columns


@pytest.mark.parametrize("name", ["columns", "pg_class", "duckdb_tables"])
def test_a_file_may_be_called_as_a_view_of_the_engine(con, tmp_path, name):
    path = tmp_path / "a.csv"
    path.write_bytes(b"a,b\n1,x\n")
    for _ in range(2):
        read_file(con, path, FileSpec(name=name, pattern="*", format="csv"), name, "d", tmp_path)
        readers.drop(con, name)


def test_cleaning_keeps_the_order_of_the_file(con):
    """DuckDB makes a join of a long IN list, which takes longer and does not keep the order."""
    con.execute("create table texts (a varchar)")
    plan = con.execute(f"explain select {_word('a', NULLS)} from texts").fetchall()[0][1].upper()
    assert "PROJECTION" in plan
    assert "JOIN" not in plan


def test_order_setting_is_left_as_it_was(con, read):
    con.execute("set preserve_insertion_order = false")
    assert read(b"a,b\n1,x\n2,y\n").rows == TWO
    assert con.execute("select current_setting('preserve_insertion_order')").fetchall() == [(False,)]
