"""Workbooks in the shapes of their writers: the parts that each writes, and how it writes a cell."""

from __future__ import annotations

import datetime as dt
import io
import re
import struct
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from xml.sax.saxutils import escape

import openpyxl
import xlsxwriter
from tests.readers.foreign.case import COLUMNS, HEAD, Case, Line, numbered, three

from sample_company import xls

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
TYPES = "application/vnd.openxmlformats-officedocument.spreadsheetml"
DECLARATION = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
TOTALS = {"totals": {"column": "dealer_id", "values": ["Total"]}}
ERROR, FORMULA, MERGED = "error", "never calculated", "merged"

# The styles of hand-made books: cell formats by their number, from 0.
FORMATS = ("General", "yyyy\\-mm\\-dd", 14, 22, 31, '[$-F800]dddd\\,\\ mmmm\\ dd\\,\\ yyyy', 'yyyy"年"m"月"d"日";@', "00000", '0.00"d"', "[Red]0.0", 9, "000\\-000", "mmm\\-yy")  # fmt: skip
DAY = 1


@dataclass(frozen=True)
class As:
    """A cell with a format, by its place in ``FORMATS``, or with XML of its own."""

    value: Any = None
    style: int = 0
    xml: str = ""


@dataclass(frozen=True)
class Shape:
    """How a program writes a workbook.

    Attributes:
        text: Where texts stand: shared, inline, or in the cell as the result of a formula (str).
        has_places: Whether cells and rows say where they stand.
        sheet: Name of the part of the first sheet; others follow it.
        rename: What a part is called in the zip, from its name in the relationships.
        prefix: Of all tags of the sheets, the workbook and the texts.
        beside: Other parts.
        last: Parts that stand at the end of the zip.
    """

    program: str
    text: str = "shared"
    has_places: bool = True
    has_styles: bool = True
    sheet: str = "worksheets/sheet{}.xml"
    target: str = "{}"
    rename: Callable[[str], str] = str
    prefix: str = ""
    quote: str = '"'
    beside: tuple[tuple[str, str], ...] = ()
    last: tuple[str, ...] = ()
    row: str = ""
    is_1904: bool = False


EXCEL = Shape(
    "Microsoft Excel",
    row=' spans="1:5" x14ac:dyDescent="0.25"',
    beside=(
        ("docProps/core.xml", f'<cp:coreProperties xmlns:cp="{PACKAGE}/metadata/core-properties"/>'),
        (
            "xl/theme/theme1.xml",
            '<a:theme xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" name="Office"/>',
        ),
        ("xl/calcChain.xml", f'<calcChain xmlns="{MAIN}"><c r="D2" i="1"/></calcChain>'),
        ("xl/printerSettings/printerSettings1.bin", "\0" * 64),
    ),
)
LIBRE = Shape(
    "LibreOffice/24.2", row=' customFormat="false" ht="12.8" hidden="false" outlineLevel="0" collapsed="false"'
)
WPS = Shape(
    "WPS Office WWO",
    sheet="worksheets/sheet{}.xml",
    row=' spans="1:5"',
    beside=(
        ("customXml/item1.xml", '<s:customData xmlns:s="http://www.wps.cn/officeDocument/2013/wpsCustomData"/>'),
        (
            "docProps/custom.xml",
            '<Properties xmlns="http://schemas.openxmlformats.org/officeDocument/2006/custom-properties"/>',
        ),
    ),
    last=("[Content_Types].xml", "_rels/.rels"),
)
SHEETJS = Shape("SheetJS", text="str", has_styles=False)
DOTNET = Shape("Open XML SDK", text="inline", prefix="x:", sheet="worksheets/sheet{}.xml", target="/xl/{}")
SHAPES = {"excel": EXCEL, "libre": LIBRE, "wps": WPS, "sheetjs": SHEETJS, "dotnet": DOTNET}
BARE = Shape("", text="inline", has_places=False, has_styles=False)


def zipped(parts: Mapping[str, str | bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as book:
        for name, content in parts.items():
            # By a ZipInfo, so that a backslash in a name stays one.
            info = zipfile.ZipInfo("x")
            info.filename, info.compress_type = name, zipfile.ZIP_DEFLATED
            book.writestr(info, content)
    return out.getvalue()


def made(
    shape: Shape,
    sheets: Mapping[str, Sequence[Line]],
    tail: str = "",
    hidden: Sequence[str] = (),
    columns: str = "",
    change: Callable[[str, str], str] = lambda name, content: content,
) -> bytes:
    """A workbook, part by part.

    Args:
        sheets: Rows of cells by name of the sheet; an empty row is left out, as programs do.
        tail: XML behind the rows of the first sheet.
        columns: XML before them.
        change: A part's text by its name and text.
    """
    texts: dict[str, int] = {}
    p = shape.prefix
    space = f'xmlns{":" + p[:-1] if p else ""}="{MAIN}" xmlns:r="{OFFICE}"'
    parts: dict[str, str] = {}
    names = [f"xl/{shape.sheet.format(number)}" for number in range(1, len(sheets) + 1)]
    for number, (part, rows) in enumerate(zip(names, sheets.values(), strict=True)):
        inner = _rows(shape, rows, texts)
        ends = tail if number == 0 else ""
        mc = (
            ' xmlns:x14ac="http://schemas.microsoft.com/office/spreadsheetml/2009/9/ac"' if "x14ac" in shape.row else ""
        )
        parts[part] = (
            f'<{p}worksheet {space}{mc}><{p}dimension ref="A1:E{max(len(rows), 1)}"/>'
            f"{columns}<{p}sheetData>{inner}</{p}sheetData>{ends}</{p}worksheet>"
        )
    states = dict.fromkeys(hidden, ' state="hidden"')
    listed = "".join(
        f'<{p}sheet name="{escape(name)}" sheetId="{n}"{states.get(name, "")} r:id="rId{n}"/>'
        for n, name in enumerate(sheets, 1)
    )
    calendar = f'<{p}workbookPr date1904="1"/>' if shape.is_1904 else f"<{p}workbookPr/>"
    parts["xl/workbook.xml"] = f"<{p}workbook {space}>{calendar}<{p}sheets>{listed}</{p}sheets></{p}workbook>"
    links = [(f"rId{n}", "worksheet", shape.target.format(name.removeprefix("xl/"))) for n, name in enumerate(names, 1)]
    if texts:
        items = "".join(f'<{p}si><{p}t xml:space="preserve">{_text(text)}</{p}t></{p}si>' for text in texts)
        parts["xl/sharedStrings.xml"] = (
            f'<{p}sst {space} count="{len(texts)}" uniqueCount="{len(texts)}">{items}</{p}sst>'
        )
        links.append(("rId91", "sharedStrings", shape.target.format("sharedStrings.xml")))
    if shape.has_styles:
        parts["xl/styles.xml"] = _styles()
        links.append(("rId92", "styles", shape.target.format("styles.xml")))
    parts["xl/_rels/workbook.xml.rels"] = _links(links)
    parts["_rels/.rels"] = _links([("rId1", "officeDocument", "xl/workbook.xml")])
    if shape.program:
        application = f"<Application>{shape.program}</Application>"
        properties = "http://schemas.openxmlformats.org/officeDocument/2006/extended-properties"
        parts["docProps/app.xml"] = f'<Properties xmlns="{properties}">{application}</Properties>'
    overrides = "".join(
        f'<Override PartName="/{name}" ContentType="{TYPES}.{kind}+xml"/>'
        for name, kind in [
            ("xl/workbook.xml", "sheet.main"),
            *((name, "worksheet") for name in names),
            ("xl/sharedStrings.xml", "sharedStrings"),
            ("xl/styles.xml", "styles"),
        ]
        if name in parts
    )
    parts["[Content_Types].xml"] = (
        f'<Types xmlns="{PACKAGE}/content-types"><Default Extension="xml" ContentType="application/xml"/>'
        f'<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>{overrides}</Types>'
    )
    parts |= dict(shape.beside)
    order = [name for name in ("[Content_Types].xml", "_rels/.rels") if name not in shape.last]
    order += [name for name in parts if name not in (*order, *shape.last)] + list(shape.last)
    return zipped(
        {
            shape.rename(name): change(name, DECLARATION.replace('"', shape.quote) + parts[name]).encode()
            for name in order
        }
    )


def _links(links: Iterable[tuple[str, str, str]]) -> str:
    inner = "".join(f'<Relationship Id="{key}" Type="{OFFICE}/{kind}" Target="{to}"/>' for key, kind, to in links)
    return f'<Relationships xmlns="{PACKAGE}/relationships">{inner}</Relationships>'


def _styles() -> str:
    own = [form for form in FORMATS if isinstance(form, str) and form != "General"]
    forms = "".join(
        f'<numFmt numFmtId="{164 + n}" formatCode="{escape(form, {chr(34): "&quot;"})}"/>' for n, form in enumerate(own)
    )
    numbers = [0 if form == "General" else form if isinstance(form, int) else 164 + own.index(form) for form in FORMATS]
    cells = "".join(f'<xf numFmtId="{number}" xfId="0" applyNumberFormat="1"/>' for number in numbers)
    return (
        f'<styleSheet xmlns="{MAIN}"><numFmts count="{len(own)}">{forms}</numFmts><fonts count="1"><font/></fonts>'
        '<fills count="1"><fill/></fills><borders count="1"><border/></borders><cellStyleXfs count="1"><xf numFmtId="0"/>'
        f'</cellStyleXfs><cellXfs count="{len(FORMATS)}">{cells}</cellXfs></styleSheet>'
    )


def _rows(shape: Shape, rows: Sequence[Line], texts: dict[str, int]) -> str:
    p, out = shape.prefix, []
    for number, row in enumerate(rows, 1):
        cells = []
        for letter, cell in zip("ABCDEFGHIJ", row, strict=False):
            if cell is None and shape.has_places:
                continue
            place = f' r="{letter}{number}"' if shape.has_places else ""
            cells.append(_cell(shape, place, cell, texts))
        if row or not shape.has_places:
            place = f' r="{number}"' if shape.has_places else ""
            out.append(f"<{p}row{place}{shape.row}>{''.join(cells)}</{p}row>")
    return "".join(out)


def _cell(shape: Shape, place: str, cell: Any, texts: dict[str, int]) -> str:
    p = shape.prefix
    style = ""
    if isinstance(cell, As):
        if cell.xml:
            return re.sub(r"<(/?)(?=\w)", rf"<\1{p}", cell.xml.replace("<c", f"<c{place}", 1))
        style, cell = f' s="{cell.style}"', cell.value
    if isinstance(cell, dt.date):
        style = style or f' s="{DAY}"'
        cell = xls.day_number(cell, shape.is_1904)
    if cell is None:
        return f"<{p}c{place}{style}/>"
    if isinstance(cell, bool):
        return f'<{p}c{place}{style} t="b"><{p}v>{int(cell)}</{p}v></{p}c>'
    if isinstance(cell, (int, float)):
        kind = ' t="n"' if shape is LIBRE else ""
        return f"<{p}c{place}{style}{kind}><{p}v>{cell!r}</{p}v></{p}c>"
    if shape.text == "str":
        return f'<{p}c{place}{style} t="str"><{p}v>{_text(cell)}</{p}v></{p}c>'
    if shape.text == "inline":
        return f'<{p}c{place}{style} t="inlineStr"><{p}is><{p}t>{_text(cell)}</{p}t></{p}is></{p}c>'
    return f'<{p}c{place}{style} t="s"><{p}v>{texts.setdefault(cell, len(texts))}</{p}v></{p}c>'


def _text(text: str) -> str:
    return escape(text)


def error(text: str) -> As:
    return As(xml=f'<c t="e"><v>{text}</v></c>')


def formula(said: str, value: str | None, kind: str = "") -> As:
    """A formula cell with its stored value; None: never calculated."""
    form = f' t="{kind}"' if kind else ""
    return As(xml=f"<c{form}><f>{said}</f>{'' if value is None else f'<v>{value}</v>'}</c>")


def dealers(mark: str) -> list[Line]:
    """The header and three records with cells of the right types."""
    day = dt.date(2026, 1, 1)
    return [
        HEAD,
        (f"{mark}1", "Alpha & <Sons>", day, 100, "Wien"),
        (f"{mark}2", " 北京 商行 ", day, 2.5, True),
        (f"{mark}3", "Gämma", day, None, "x"),
    ]


def read(mark: str, first: int = 2) -> list[Line]:
    return numbered(
        [
            (f"{mark}1", "Alpha & <Sons>", "2026-01-01", "100", "Wien"),
            (f"{mark}2", "北京 商行", "2026-01-01", "2.5", "true"),
            (f"{mark}3", "Gämma", "2026-01-01", None, "x"),
        ],
        first,
    )


def cases() -> Iterable[Case]:
    yield from _writers()
    yield from _names()
    yield from _cells()
    yield from _sheets()
    yield from _old()
    yield from _none()


def xlsx(id: str, content: bytes | Callable[[], bytes], rows: Sequence[Line] = (), **more: Any) -> Case:
    return Case(id, content, rows, format="xlsx", **more)


# -- six writers: a plain table, errors and formulas, the calendar of old Macs -----------------------------------------------


def _writers() -> Iterable[Case]:
    for number, (name, shape) in enumerate(SHAPES.items()):
        mark = f"BA{number}"
        if shape.has_styles:
            yield xlsx(f"book_{name}", made(shape, {"Sheet1": dealers(mark)}), read(mark))
            old = Shape(**{**shape.__dict__, "is_1904": True})
            mark = f"BB{number}"
            yield xlsx(f"book_{name}_1904", made(old, {"Sheet1": dealers(mark)}), read(mark))
        else:
            # Without styles no number is a day: days stand as texts, or as cells of their own type.
            rows = [
                HEAD,
                (f"{mark}1", "Alpha", As(xml='<c t="d"><v>2026-01-01T00:00:00</v></c>'), 100, "Wien"),
                (f"{mark}2", "Beta & Sons", As(xml='<c t="d"><v>2026-01-02</v></c>'), 2.5, "Wien"),
                (f"{mark}3", "Gamma", "2026-01-03", None, "Wien"),
            ]
            yield xlsx(f"book_{name}", made(shape, {"Sheet1": rows}), numbered(three(mark)))
        mark = f"BC{number}"
        damaged = [
            HEAD,
            *three(mark),
            (f"{mark}4", "Error", "2026-01-04", error("#N/A"), "x"),
            (f"{mark}5", "Waiting", "2026-01-05", formula("D2*2", None), "x"),
            (f"{mark}6", "Sum", "2026-01-06", formula("D2*2", "200"), formula('"a"&amp;"b"', "ab", "str")),
            (f"{mark}7", "Blank", "2026-01-07", 7, formula('""', "", "str")),
        ]
        yield xlsx(
            f"book_{name}_errors",
            made(shape, {"Sheet1": damaged}),
            [
                *numbered(three(mark)),
                (7, f"{mark}6", "Sum", "2026-01-06", "200", "ab"),
                (8, f"{mark}7", "Blank", "2026-01-07", "7", None),
            ],
            rejected={5: ERROR, 6: FORMULA},
        )
    yield xlsx("book_openpyxl", _openpyxl, read("BD"), rejected={5: FORMULA, 6: ERROR})
    yield xlsx("book_openpyxl_write_only", partial(_openpyxl, True), read("BE"), rejected={5: FORMULA, 6: ERROR})
    for name, options, mark in (
        ("", {}, "BF"),
        ("_constant_memory", {"constant_memory": True}, "BG"),
        ("_1904", {"date_1904": True}, "BH"),
    ):
        yield xlsx(f"book_xlsxwriter{name}", partial(_xlsxwriter, options, mark), read(mark), rejected={5: ERROR})


def _openpyxl(is_write_only: bool = False) -> bytes:
    book = openpyxl.Workbook(write_only=is_write_only)
    sheet = book.create_sheet("Dealers") if is_write_only else book.active
    mark = "BE" if is_write_only else "BD"
    rows = [*dealers(mark), (f"{mark}4", "Waiting", dt.date(2026, 1, 4), "=D2*2"), (f"{mark}5", "E", None, "#N/A")]
    for row in rows:
        sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _xlsxwriter(options: dict[str, Any], mark: str) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"default_date_format": "dd/mm/yyyy", "in_memory": True, **options}) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate(dealers(mark)):
            for column, cell in enumerate(row):
                if cell is not None:
                    sheet.write(number, column, cell)
        sheet.write_row("A5", [f"{mark}4", "Error"])
        sheet.write_formula("D5", "=1/0", None, "#DIV/0!")
    return out.getvalue()


# -- names of parts ----------------------------------------------------------------------------------------------------------


def _names() -> Iterable[Case]:
    """Parts that a guard may fail to find; each book holds an error, a formula never calculated and a merged cell."""
    shapes = {
        "other_case": {"rename": lambda name: name.replace("worksheets/sheet", "WorkSheets/Sheet")},
        "all_capitals": {"rename": lambda name: name.upper() if name.startswith("xl/") else name},
        "shared_strings_case": {"rename": lambda name: name.replace("sharedStrings", "SharedStrings")},
        "leading_slash_in_target": {"target": "/xl/{}"},
        "backslashes_in_zip": {"rename": lambda name: name.replace("/", "\\")},
        "sheet_elsewhere": {"sheet": "sheets/data/table{}.xml"},
        "sheet_with_blank_in_name": {"sheet": "worksheets/sheet {}.xml", "target": "{}"},
        "prefixed": {"prefix": "x:"},
        "long_prefix": {"prefix": "spreadsheet:", "text": "inline"},
        "single_quotes": {"quote": "'"},
    }
    for number, (name, change) in enumerate(shapes.items()):
        mark = f"CA{number:02}"
        shape = Shape(**{**EXCEL.__dict__, "beside": (), "row": "", **change})
        rows = [
            HEAD,
            *three(mark),
            (f"{mark}4", "Error", "2026-01-04", error("#DIV/0!"), "x"),
            (f"{mark}5", "Waiting", "2026-01-05", formula("D2*2", None), "x"),
            (f"{mark}6", "Fine", "2026-01-06", 6, "tall"),
            (f"{mark}7", "Merged", "2026-01-07", 7),
        ]
        p = shape.prefix
        tail = f'<{p}mergeCells count="1"><{p}mergeCell ref="E7:E8"/></{p}mergeCells>'
        yield xlsx(
            f"parts_{name}",
            made(shape, {"Sheet1": rows}, tail),
            [*numbered(three(mark)), (7, f"{mark}6", "Fine", "2026-01-06", "6", "tall")],
            rejected={5: ERROR, 6: FORMULA, 8: MERGED},
        )
    # What the library that reads does not find is refused: a guard that cannot look never passes.
    for name, change in {
        "leading_slash_in_zip": {"rename": lambda name: "/" + name},
        "backslashes_in_target": {"target": ".\\{}"},
        "dots_in_target": {"target": "../xl/./{}"},
    }.items():
        yield xlsx(
            f"parts_{name}",
            made(Shape(**{**EXCEL.__dict__, **change}), {"Sheet1": dealers("CA99")}),
            refused="workbook",
        )
    rows = [
        [*HEAD],
        *three("CB"),
        ("CB4", "Error", "2026-01-04", error("#REF!"), "x"),
        (),
        ("CB5", None, "2026-01-05", 5, "x"),
    ]
    yield xlsx(
        "cells_without_places",
        made(BARE, {"Sheet1": rows}),
        [*numbered(three("CB")), (7, "CB5", None, "2026-01-05", "5", "x")],
        structural=1,
        rejected={5: ERROR},
        held={7: "dealer_name"},
    )
    strict = {
        MAIN: "http://purl.oclc.org/ooxml/spreadsheetml/main",
        OFFICE: "http://purl.oclc.org/ooxml/officeDocument/relationships",
    }

    def in_strict(name: str, content: str) -> str:
        for old, new in strict.items():
            content = content.replace(old, new)
        return content

    rows = [HEAD, *three("CC"), ("CC4", "Error", "2026-01-04", error("#REF!"), "x")]
    yield xlsx(
        "strict_names", made(EXCEL, {"Sheet1": rows}, change=in_strict), numbered(three("CC")), rejected={5: ERROR}
    )


# -- cells -----------------------------------------------------------------------------------------------------------------------


def _cells() -> Iterable[Case]:
    day = 46023  # 2026-01-01
    styles = [(2, day), (3, day), (4, day), (5, day), (6, day), (1, day + 0.5), (12, day)]
    rows = [HEAD, *((f"DA{n}", f"Style {style}", As(value, style), n, "x") for n, (style, value) in enumerate(styles))]
    yield xlsx(
        "dates_by_builtin_and_own_formats",
        made(EXCEL, {"Sheet1": rows}),
        [
            (n + 2, f"DA{n}", f"Style {style}", "2026-01-01" + (" 12:00:00" if value != day else ""), str(n), "x")
            for n, (style, value) in enumerate(styles)
        ],
        accepted=[(f"DA{n}", f"Style {style}", "2026-01-01", str(n), "x") for n, (style, _) in enumerate(styles)],
    )
    rows = [
        HEAD,
        ("DB1", "Unit behind", dt.date(2026, 1, 1), As(12.5, 8), "x"),
        ("DB2", "Colour", dt.date(2026, 1, 1), As(46023, 9), "x"),
        ("DB3", "Percent", dt.date(2026, 1, 1), As(0.85, 10), "x"),
    ]
    yield xlsx(
        "formats_that_are_no_dates",
        made(EXCEL, {"Sheet1": rows}),
        [
            (2, "DB1", "Unit behind", "2026-01-01", "12.5", "x"),
            (3, "DB2", "Colour", "2026-01-01", "46023", "x"),
            (4, "DB3", "Percent", "2026-01-01", "0.85", "x"),
        ],
    )
    rows = [
        HEAD,
        (As(123, 7), "Zeros", dt.date(2026, 1, 1), As(7, 7), "x"),
        (As(1234, 11), "Zeros and dash", dt.date(2026, 1, 1), 7, As(42, 7)),
        (123456, "None", dt.date(2026, 1, 1), 0.5, "x"),
        ("00777", "Text", dt.date(2026, 1, 1), 1, "x"),
    ]
    for name, shape in (("excel", EXCEL), ("libre", LIBRE), ("dotnet", DOTNET)):
        # The same codes in each, apart by a city of their own: as keys they differ by their day.
        days = {"excel": 1, "libre": 2, "dotnet": 3}
        moved = [
            tuple(dt.date(2026, 1, days[name]) if isinstance(cell, dt.date) else cell for cell in row) for row in rows
        ]
        said = f"2026-01-0{days[name]}"
        yield xlsx(
            f"zeros_by_format_{name}",
            made(shape, {"Sheet1": moved}),
            [
                (2, "00123", "Zeros", said, "00007", "x"),
                (3, "001-234", "Zeros and dash", said, "7", "00042"),
                (4, "123456", "None", said, "0.5", "x"),
                (5, "00777", "Text", said, "1", "x"),
            ],
        )

    def rich(name: str, content: str) -> str:
        return content.replace(
            '<t xml:space="preserve">RICH</t>',
            '<r><rPr><b/></rPr><t xml:space="preserve">東</t></r><r><t>京</t></r><rPh sb="0" eb="2"><t>トウキョウ</t></rPh><phoneticPr fontId="1"/>',
        ).replace('<t xml:space="preserve">LINES</t>', "<t>one_x000D_\ntwo</t>")

    rows = [
        HEAD,
        ("DC1", "RICH", "2026-01-01", 1, "x"),
        ("DC2", "LINES", "2026-01-02", 2, "<&>\"'"),
        ("DC3", "🚲 𠮷", "2026-01-03", 3, "x"),
    ]
    yield xlsx(
        "rich_and_phonetic_texts",
        made(EXCEL, {"Sheet1": rows}, change=rich),
        [
            (2, "DC1", "東京", "2026-01-01", "1", "x"),
            (3, "DC2", "one\r\ntwo", "2026-01-02", "2", "<&>\"'"),
            (4, "DC3", "🚲 𠮷", "2026-01-03", "3", "x"),
        ],
    )
    inline = As(xml='<c t="inlineStr"><is><r><t>Al</t></r><r><rPr><i/></rPr><t>pha</t></r></is></c>')
    rows = [HEAD, ("DD1", inline, "2026-01-01", 1, As(xml='<c t="str"><v>a &amp; b</v></c>'))]
    yield xlsx("rich_inline_texts", made(LIBRE, {"Sheet1": rows}), [(2, "DD1", "Alpha", "2026-01-01", "1", "a & b")])
    rows = [
        HEAD,
        ("DE1", "Large", "2026-01-01", 450001000000, "x"),
        ("DE2", "Small", "2026-01-02", As(xml="<c><v>1.0000000000000001E-5</v></c>"), "x"),
        ("DE3", "Sum", "2026-01-03", 0.1 + 0.2, "x"),
        (
            As(xml="<c><v>4.50001E+11</v></c>"),
            "Number as key",
            "2026-01-04",
            1,
            As(xml="<c><v>9007199254740992</v></c>"),
        ),
        ("DE5", "False", "2026-01-05", As(xml="<c><v>1E3</v></c>"), False),
    ]
    yield xlsx(
        "numbers_as_stored",
        made(EXCEL, {"Sheet1": rows}),
        [
            (2, "DE1", "Large", "2026-01-01", "450001000000", "x"),
            (3, "DE2", "Small", "2026-01-02", "0.00001", "x"),
            (4, "DE3", "Sum", "2026-01-03", "0.3", "x"),
            (5, "450001000000", "Number as key", "2026-01-04", "1", "9007199254740992"),
            (6, "DE5", "False", "2026-01-05", "1000", "false"),
        ],
        accepted=[
            ("DE1", "Large", "2026-01-01", "450001000000", "x"),
            ("DE2", "Small", "2026-01-02", "0", "x"),
            ("DE3", "Sum", "2026-01-03", "0.3", "x"),
            ("450001000000", "Number as key", "2026-01-04", "1", "9007199254740992"),
            ("DE5", "False", "2026-01-05", "1000", "false"),
        ],
    )
    texts = ("4.50001E+11", "#REF!", "########")
    rows = [HEAD, *three("DF"), (texts[0], "A", "2026-01-04", 1, "x"), ("DF5", texts[1], "2026-01-05", 1, "x")]
    yield xlsx(
        "damaged_texts_in_a_book",
        made(EXCEL, {"Sheet1": rows}),
        numbered(three("DF")),
        unmapped={5: "", 6: ""},
        is_raw=False,
    )
    shared = [
        As(xml='<c><f t="shared" ref="D2:D4" si="0">ROW()</f><v>2</v></c>'),
        As(xml='<c><f t="shared" si="0"/></c>'),
        As(xml='<c><f t="shared" si="0"/><v>4</v></c>'),
        As(xml='<c><f t="array" ref="D5">SUM(1)</f></c>'),
        As(xml="<c><f>A1</f><v></v></c>"),
        As(xml="<c><f>A1</f><v/></c>"),
    ]
    rows = [
        HEAD,
        *((f"DG{n}", "F", f"2026-01-0{n}", cell, "x") for n, cell in enumerate(shared, 1)),
        *three("DH"),
        *three("DI"),
    ]
    yield xlsx(
        "formulas_shared_and_array",
        made(EXCEL, {"Sheet1": rows}),
        [
            (2, "DG1", "F", "2026-01-01", "2", "x"),
            (4, "DG3", "F", "2026-01-03", "4", "x"),
            *numbered(three("DH"), 8),
            *numbered(three("DI"), 11),
        ],
        rejected={3: FORMULA, 5: FORMULA, 6: FORMULA, 7: FORMULA},
    )
    # A formula for the key: the row holds nothing else and would pass as a blank one.
    rows = [HEAD, *three("DJ"), (formula("A2", None),), (error("#NAME?"), None, error("#NAME?"))]
    yield xlsx(
        "rows_of_nothing_but_trouble",
        made(LIBRE, {"Sheet1": rows}),
        numbered(three("DJ")),
        rejected={5: FORMULA, 6: ERROR},
    )
    yield xlsx("table_with_totals_and_links", _decorated, [(2, "DK1", "https://example.com/a", "2026-01-01", "1", "x"), (3, "DK2", "Beta", "2026-01-02", "2.25", "y")], structural=1, spec=TOTALS)  # fmt: skip


def _decorated() -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        sheet = book.add_worksheet("Table")
        day = book.add_format({"num_format": "d mmm yyyy"})
        columns: list[dict[str, Any]] = [{"header": name} for name in HEAD]
        columns[0]["total_string"], columns[3]["total_function"], columns[3]["total_value"] = "Total", "sum", 3.25
        sheet.add_table(0, 0, 3, 4, {"columns": columns, "total_row": True})
        for number, row in enumerate([("DK1", "", dt.date(2026, 1, 1), 1, "x"), ("DK2", "Beta", dt.date(2026, 1, 2), 2.25, "y")], 1):  # fmt: skip
            for column, cell in enumerate(row):
                sheet.write(number, column, cell, day if isinstance(cell, dt.date) else None)
        sheet.write_url("B2", "https://example.com/a")
        sheet.write_comment("B3", "A comment, not a value")
        sheet.data_validation("E2:E3", {"validate": "list", "source": ["x", "y"]})
        sheet.conditional_format("D2:D3", {"type": "data_bar"})
        sheet.freeze_panes(1, 0)
        sheet.set_row(2, options={"hidden": True})
        sheet.set_column("D:D", None, None, {"hidden": True})
        sheet.set_footer("&CPage &P")
        chart = book.add_chart({"type": "column"})
        chart.add_series({"values": "=Table!$D$2:$D$3"})
        sheet.insert_chart("H2", chart)
    return out.getvalue()


# -- sheets and tables -------------------------------------------------------------------------------------------------------


def _sheets() -> Iterable[Case]:
    both = {"January": dealers("EA"), "February": dealers("EB")}
    yield xlsx("two_sheets_of_one_header", made(EXCEL, both), refused="February")
    yield xlsx(
        "two_sheets_one_hidden",
        made(LIBRE, {"Now": dealers("EC"), "Before": dealers("ED")}, hidden=["Before"]),
        refused="Before",
    )
    yield xlsx("two_sheets_one_named", made(WPS, both), read("EB"), spec={"sheet": "February"})
    yield xlsx("two_sheets_none_so_named", made(WPS, both), refused="March", spec={"sheet": "March"})
    note = [("Legend",), ("Limit: in euros",), ("City: of the shop",)]
    yield xlsx("note_sheet_behind", made(EXCEL, {"Data": dealers("EE"), "Notes": note}), read("EE"))
    yield xlsx(
        "note_sheet_before", made(EXCEL, {"Notes": note, "Data": dealers("EF")}), read("EF"), spec={"sheet": "Data"}
    )
    yield xlsx(
        "note_sheet_before_and_none_named", made(EXCEL, {"Notes": note, "Data": dealers("EF")}), refused="column|sheet"
    )
    yield xlsx("empty_sheets_behind", made(EXCEL, {"Sheet1": dealers("EG"), "Sheet2": [], "Sheet3": []}), read("EG"))
    title = [("Dealers of January",), (), ("As of", "2026-01-31"), ()]
    yield xlsx(
        "title_above_and_blank_rows_between",
        made(EXCEL, {"Sheet1": [*title, *dealers("EH"), (), *dealers("EI")[1:]]}),
        [*read("EH", 6), *read("EI", 10)],
        structural=1,
        spec={"header": "find"},
    )
    second = [(), ("Region", "Manager", "Phone"), ("North", "A. Person", "1"), ("South", "B. Person", "2")]
    yield xlsx(
        "second_table_below",
        made(EXCEL, {"Sheet1": [*dealers("EJ"), *dealers("EK")[1:], *second]}),
        [*read("EJ"), *read("EK", 5)],
        structural=1,
        unmapped={9: "", 10: "", 11: ""},
        is_raw=False,
    )
    wide = [(), (*HEAD, "Note", "Grade"), *((*row, "n", "g") for row in dealers("EM")[1:])]
    yield xlsx(
        "second_table_below_is_wider",
        made(EXCEL, {"Sheet1": [*dealers("EL"), *dealers("EN")[1:], *wide]}),
        [*read("EL"), *read("EN", 5)],
        structural=1,
        rejected={9: "too many fields", 10: "too many fields", 11: "too many fields", 12: "too many fields"},
    )
    offset = [(), (), *((None, None, *row) for row in dealers("EO"))]
    yield xlsx(
        "table_not_in_the_corner",
        made(EXCEL, {"Sheet1": offset}),
        [(*row, None, None) for row in read("EO", 4)],
        columns=(*COLUMNS, "column_1", "column_2"),
    )


# -- old workbooks -----------------------------------------------------------------------------------------------------------

DAY_ONE = dt.date(2026, 1, 1)


def old_rows(mark: str) -> list[list[xls.Cell]]:
    return [
        [*HEAD],
        [f"{mark}1", "Alpha", DAY_ONE, 100, "Wien"],
        [f"{mark}2", "北京", DAY_ONE, 2.5, True],
        [f"{mark}3", "Error", DAY_ONE, xls.Error.NA, "x"],
        [f"{mark}4", "Fine", DAY_ONE, 1, "tall"],
        [f"{mark}5", "Merged", DAY_ONE, 1],
        [f"{mark}6", "Last", DAY_ONE, None, "x"],
        [xls.Error.REF],
    ]


def old_read(mark: str) -> list[Line]:
    return [
        (2, f"{mark}1", "Alpha", "2026-01-01", "100", "Wien"),
        (3, f"{mark}2", "北京", "2026-01-01", "2.5", "true"),
        (5, f"{mark}4", "Fine", "2026-01-01", "1", "tall"),
        (7, f"{mark}6", "Last", "2026-01-01", None, "x"),
    ]


def theme() -> bytes:
    """The record in which Excel 2007 and later keep the colours of an old workbook: a zip."""
    inner = zipped(
        {
            "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types"/>',
            "_rels/.rels": _links([("rId1", "officeDocument", "theme/theme/themeManager.xml")]),
            "theme/theme/themeManager.xml": "<a:themeManager xmlns:a='http://schemas.openxmlformats.org/drawingml/2006/main'/>",
            "theme/theme/theme1.xml": "<a:theme xmlns:a='http://schemas.openxmlformats.org/drawingml/2006/main'/>",
        }
    )
    content = struct.pack("<HH8xI", 0x0896, 0, 0) + inner
    return struct.pack("<HH", 0x0896, len(content)) + content


def old(mark: str, is_1904: bool = False, has_theme: bool = True, rows: list[list[xls.Cell]] | None = None) -> bytes:
    stream = xls._book("Sheet1", rows or old_rows(mark), is_1904, [(4, 5, 4, 4)] if rows is None else [])
    if has_theme:
        record = theme()
        name = struct.pack("<BB", 6, 1) + "Sheet1".encode("utf-16-le")
        found = re.search(rb"\x85\x00\x14\x00(....)\0\0" + re.escape(name), stream, re.DOTALL)
        assert found
        start = struct.unpack("<I", found[1])[0] + len(record)
        stream = stream[: found.start(1)] + struct.pack("<I", start) + stream[found.end(1) : found.end()] + record + stream[found.end() :]  # fmt: skip
    return xls._compound(stream)


def _old() -> Iterable[Case]:
    rejected = {4: ERROR, 6: MERGED, 8: ERROR}
    for number, (is_1904, has_theme) in enumerate([(False, False), (True, False), (False, True), (True, True)]):
        mark = f"FA{number}"
        name = "old" + "_theme" * has_theme + "_1904" * is_1904
        yield Case(name, partial(old, mark, is_1904, has_theme), old_read(mark), rejected=rejected, format="xls")
    yield Case("old_said_to_be_new", partial(old, "FB"), old_read("FB"), rejected=rejected, format="xlsx")
    yield Case("new_said_to_be_old", made(EXCEL, {"Sheet1": dealers("FC")}), read("FC"), format="xls")
    size = struct.pack("<HHIIHH", 0x0200, 14, 0, 8, 0, 5)

    def huge() -> bytes:
        content = old("FD")
        assert content.count(size) == 1
        return content.replace(size, struct.pack("<HHIIHH", 0x0200, 14, 0, 0xFFFFFFF0, 0, 0xFFF0))

    yield Case("old_theme_huge_dimensions", huge, old_read("FD"), rejected=rejected, format="xls")
    codepage = struct.pack("<HHH", 0x42, 2, 1200)
    yield Case("old_with_password", lambda: old("FE").replace(codepage, struct.pack("<HHH", 0x2F, 2, 0), 1), refused="password", format="xls")  # fmt: skip
    yield Case("old_cut_off", lambda: old("FF")[:1500], refused="workbook", format="xls")
    yield Case("old_head_only", lambda: old("FF")[:512], refused="workbook", format="xls")


# -- what is no workbook -----------------------------------------------------------------------------------------------------


def _none() -> Iterable[Case]:
    plain = made(EXCEL, {"Sheet1": dealers("GA")})
    locked = xls._compound(b"").replace("Workbook".encode("utf-16-le"), "Werkbook".encode("utf-16-le"))
    yield xlsx(
        "new_with_password", locked + "EncryptedPackage".encode("utf-16-le").ljust(512, b"\0"), refused="password"
    )
    yield xlsx("new_cut_off", plain[: len(plain) // 2], refused="workbook|cut|damaged")
    yield xlsx(
        "zip_of_something_else",
        zipped({"word/document.xml": "<w:document/>", "[Content_Types].xml": "<Types/>"}),
        refused="workbook",
    )
    yield xlsx("empty_zip", b"PK\x05\x06" + bytes(18), refused="workbook")
    yield xlsx("open_document", zipped({"mimetype": "application/vnd.oasis.opendocument.spreadsheet", "content.xml": "<office:document-content/>"}), refused="(?i)opendocument|workbook")  # fmt: skip
    yield xlsx(
        "binary_workbook",
        zipped({"xl/workbook.bin": b"\x83\x01\0", "[Content_Types].xml": "<Types/>"}),
        refused="(?i)binary|workbook",
    )
    yield Case("text_said_to_be_old", b"Code\tName\tFrom\nGB1\tA\t2026-01-01\n", refused="workbook", format="xls")
    yield Case(
        "html_said_to_be_old", b"<html><table><tr><td>Code</td></tr></table></html>", refused="workbook", format="xls"
    )
    yield Case("xml_said_to_be_old", b'<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"/>', refused="workbook", format="xls")  # fmt: skip
    missing = made(EXCEL, {"Sheet1": dealers("GC")}, change=lambda name, content: content.replace("worksheets/sheet1.xml", "worksheets/sheet9.xml") if name.endswith(".rels") else content)  # fmt: skip
    yield xlsx("sheet_part_missing", missing, refused="sheet|workbook|part")
