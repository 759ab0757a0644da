"""A corpus of messy files, one of each mess that dealers really send, with the truth of every file.

`make(out)` writes `<out>/files/`, a config folder and a suite that describe them (source `corpus`, feed `orders`), and
`<out>/truth.json`. What must come of a row is noted while it is written, from what the generator means by it.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as pq
import xlsxwriter
import yaml

from sample_company.ledger import ACCEPTED, BLANK, CREATED, HEADER_AGAIN, REPEAT, TOTALS, Fate, quarantined, rejected
from sample_company.xls import Cell, day_number, write_xls

AGAIN = "utf8_stated"
SOURCE, FEED, RECEIVED = "corpus", "orders", date(2026, 4, 1)

ENGLISH = ("Order No", "Line", "Dealer", "Qty", "Net Amount", "Currency", "Discount %", "Order Date", "Note")
CHINESE = ("单据号", "行号", "经销商", "数量", "不含税金额", "币种", "折扣率", "日期", "备注")
COLUMNS = (
    "order_no",
    "line_no",
    "dealer_id",
    "quantity",
    "net_amount",
    "currency_code",
    "discount_pct",
    "order_date",
    "note",
)
ALIASES = {name: list(texts) for name, *texts in zip(COLUMNS, ENGLISH, CHINESE, strict=True)}

_CONTRACT = """\
feed: orders
title: Orders
title_zh: 订单
grain: one row per line of an order
delivery: append
key: [order_no, line_no]
event_date: order_date
columns:
  - {name: order_no, type: string, required: true, description: Number of the order}
  - {name: line_no, type: integer, required: true, description: Line of the order}
  - {name: dealer_id, type: string, required: true, description: Dealer}
  - {name: quantity, type: "decimal(18,4)", description: Units}
  - {name: net_amount, type: "decimal(18,4)", description: Amount without tax}
  - {name: currency_code, type: string, description: Currency of the amount}
  - {name: discount_pct, type: "decimal(9,4)", description: Discount in percent}
  - {name: order_date, type: date, description: Day of the order}
  - {name: note, type: string, description: Free text}
"""

_COMPANY = """\
name: Corpus
name_zh: 样例
reporting_currency: CNY
fx_rate_type: market
plan_fx_rate_type: plan
fiscal_year_start_month: 1
calendar_start: 2026-01-01
time_zone: Asia/Shanghai
min_group_size: 5
credit_rule: stated_seller_else_assignment
"""

_RULES: dict[str, tuple[str, dict[str, Any]]] = {
    "order_no_missing": ("expect_column_values_to_not_be_null", {"column": "order_no"}),
    "dealer_missing": ("expect_column_values_to_not_be_null", {"column": "dealer_id"}),
    "net_amount_missing": ("expect_column_values_to_not_be_null", {"column": "net_amount"}),
    "quantity_negative": ("expect_column_values_to_be_between", {"column": "quantity", "min_value": 0}),
    "currency_unknown": (
        "expect_column_values_to_be_in_set",
        {"column": "currency_code", "value_set": ["CNY", "EUR", "USD"]},
    ),
    "discount_out_of_range": (
        "expect_column_values_to_be_between",
        {"column": "discount_pct", "min_value": 0, "max_value": 100},
    ),
}

_ORDER = "order_date does not say which of day and month comes first, and neither does the profile's dates"


@dataclass(frozen=True)
class Order:
    """What a row means, however it is written."""

    order_no: str | None
    line_no: int = 1
    dealer_id: str | None = "D001"
    quantity: Decimal | None = Decimal(2)
    net_amount: Decimal | None = Decimal("100.50")
    currency_code: str | None = "CNY"
    discount_pct: Decimal | None = Decimal(5)
    order_date: date | None = date(2026, 3, 1)
    note: str | None = None

    @property
    def values(self) -> tuple[Any, ...]:
        return tuple(getattr(self, name) for name in COLUMNS)


@dataclass
class Doc:
    """One file: how it is described, its rows as they are written, and what must come of them.

    Attributes:
        lines: Rows below the header, as texts; a plain text is a line that is written as it stands.
        above: Lines over the header.
        expected: The accepted rows' meaning.
        error: Part of the message if the file is refused.
    """

    name: str
    profile: dict[str, Any] = field(default_factory=dict)
    header: Sequence[str] | None = CHINESE
    above: list[str] = field(default_factory=list)
    suffix: str = "csv"
    encoding: str = "utf-8"
    delimiter: str = ","
    line_end: str = "\r\n"
    day: Callable[[date], str] = date.isoformat
    number: Callable[[Decimal], str] = str
    lines: list[tuple[str, ...] | str] = field(default_factory=list)
    fates: list[Fate] = field(default_factory=list)
    expected: list[Order] = field(default_factory=list)
    status: str = "accepted"
    error: str | None = None
    read: bool = True

    def order(self, number: int, **meant: Any) -> Order:
        """A good order of this file; no two files share a number."""
        plain = {
            "quantity": Decimal(number),
            "net_amount": Decimal(1234) * number + Decimal("0.5"),
            "order_date": date(2026, 3, 1) + timedelta(days=number),
        }
        return Order(f"{self.name}-{number}", **{**plain, **meant})

    def add(self, order: Order, fate: Fate = ACCEPTED, **written: str) -> Self:
        """A row; ``written`` are the texts of columns that are not written in the file's usual way."""
        texts = tuple(written.get(name, self.text(value)) for name, value in zip(COLUMNS, order.values, strict=True))
        self.lines.append(texts)
        self.fates.append(fate)
        if fate is ACCEPTED:
            self.expected.append(order)
        return self

    def raw(self, line: str | tuple[str, ...], fate: Fate) -> Self:
        self.lines.append(line)
        self.fates.append(fate)
        return self

    def good(self, count: int = 4, **meant: Any) -> Self:
        first = len(self.lines) + 1
        for number in range(first, first + count):
            self.add(self.order(number, **meant))
        return self

    def text(self, value: Any) -> str:
        if value is None:
            return ""
        if isinstance(value, date):
            return self.day(value)
        return self.number(value) if isinstance(value, Decimal) else str(value)

    def refused(self, error: str, read: bool = False) -> Self:
        """The file as a whole cannot be taken. ``read``: its rows were read and counted before that was clear."""
        self.status, self.error, self.read, self.expected = "refused", error, read, []
        return self

    # -- how it looks on disk

    def written(self) -> str:
        stream = io.StringIO()
        writer = csv.writer(stream, delimiter=self.delimiter, lineterminator=self.line_end)
        for line in (*self.above, *([self.header] if self.header else []), *self.lines):
            if isinstance(line, str):
                stream.write(line + self.line_end)
            else:
                writer.writerow(line)
        return stream.getvalue()

    def content(self) -> bytes:
        return self.written().encode(self.encoding)

    def entry(self) -> dict[str, Any]:
        described = {"delimiter": self.delimiter} if self.delimiter != "," else {}
        named: dict[str, Any] = {"aliases": ALIASES} if self.header else {"header": False, "columns": list(COLUMNS)}
        return {
            "name": self.name,
            "feed": FEED,
            "map": f"{self.name}.sql",
            "pattern": f"{self.name}.*",
            "format": "csv",
            **described,
            **named,
            **self.profile,
        }

    def truth(self, file: str) -> dict[str, Any]:
        kinds = ("accepted", "quarantined", "duplicate", "structural", "rejected")
        counts = {kind: sum(fate.outcome == kind for fate in self.fates) for kind in kinds}
        mapped = counts["accepted"] + counts["quarantined"] + counts["duplicate"]
        rules: dict[str, int] = {}
        reasons: dict[str, int] = {}
        for fate in self.fates:
            if fate.outcome in ("quarantined", "rejected"):
                into = rules if fate.outcome == "quarantined" else reasons
                into[str(fate.why)] = into.get(str(fate.why), 0) + 1
        if self.status == "refused":
            counts |= {"accepted": 0, "quarantined": mapped, "duplicate": 0}
        numbers = {"records": len(self.fates), "mapped": mapped, **counts} if self.read else None
        return {
            "file": file,
            "status": self.status,
            "counts": numbers,
            "quarantined_by_rule": dict(sorted(rules.items())),
            "rejected_by_reason": dict(sorted(reasons.items())),
            "error": self.error,
            "rows": [[None if value is None else str(value) for value in row.values] for row in self.expected],
        }


@dataclass
class Book(Doc):
    """A workbook; cells are real dates and numbers unless a text is given for them."""

    suffix: str = "xlsx"
    from_1904: bool = False
    cells: list[list[Cell]] = field(default_factory=list)

    def add(self, order: Order, fate: Fate = ACCEPTED, **written: Any) -> Self:
        super().add(order, fate)
        plain = [float(value) if isinstance(value, Decimal) else value for value in order.values]
        self.cells.append([written.get(name, cell) for name, cell in zip(COLUMNS, plain, strict=True)])
        return self

    def raw(self, line: str | tuple[str, ...], fate: Fate) -> Self:
        self.cells.append(list(line) if isinstance(line, tuple) else [line])
        return super().raw(line, fate)

    def rows(self) -> list[list[Cell]]:
        header: list[Cell] = [*(self.header or ())]
        above: list[list[Cell]] = [[text] for text in self.above]
        return [*above, *([header] if header else []), *self.cells]

    def write(self, path: Path) -> None:
        if self.suffix == "xls":
            write_xls(path, "订单", self.rows(), self.from_1904)
            return
        book = xlsxwriter.Workbook(
            path,
            {"strings_to_formulas": False, "default_date_format": "yyyy-mm-dd", "date_1904": self.from_1904},
        )
        book.set_properties({"created": CREATED})
        sheet = book.add_worksheet("订单")
        for row, cells in enumerate(self.rows()):
            for column, cell in enumerate(cells):
                if isinstance(cell, date):
                    sheet.write_datetime(row, column, cell)
                elif isinstance(cell, str) and cell:
                    sheet.write_string(row, column, cell)
                elif isinstance(cell, (int, float)):
                    sheet.write_number(row, column, cell)
        book.close()


@dataclass
class Bytes(Doc):
    """A file whose bytes are given."""

    data: bytes = b""

    def content(self) -> bytes:
        return self.data


def make(out: Path) -> dict[str, Any]:
    """Write the corpus.

    Args:
        out: A folder that does not exist or is empty.

    Returns:
        The truth, as also written to ``truth.json``: per file status, counts, rows quarantined by rule and rejected by
        reason, and the accepted rows' values as texts. ``counts`` is None where nothing can be counted.
    """
    docs = list(_docs())
    files, config, source = out / "files", out / "config", out / "config" / "sources" / SOURCE
    for folder in (files, config / "feeds", source, out / "expectations"):
        folder.mkdir(parents=True)
    (config / "company.yml").write_text(_COMPANY, "utf-8")
    (config / "feeds" / f"{FEED}.yml").write_text(_CONTRACT, "utf-8")
    suite = {
        "name": FEED,
        "expectations": [
            {
                "type": kind,
                "kwargs": kwargs,
                "meta": {"rule": rule},
                "severity": "warning",
                "description": rule.replace("_", " "),
            }
            for rule, (kind, kwargs) in _RULES.items()
        ],
    }
    (out / "expectations" / f"{FEED}.json").write_text(json.dumps(suite, indent=1), "utf-8")
    profile = {"source": SOURCE, "title": "Messy files", "files": [doc.entry() for doc in docs]}
    (source / "source.yml").write_text(yaml.safe_dump(profile, allow_unicode=True, sort_keys=False), "utf-8")
    truth = []
    for doc in docs:
        columns = ", ".join(("_delivery_id", "_row_number", *COLUMNS))
        (source / f"{doc.name}.sql").write_text(f"select {columns} from {doc.name}\n", "utf-8")
        path = files / f"{doc.name}.{doc.suffix}"
        if isinstance(doc, Book):
            doc.write(path)
        else:
            path.write_bytes(doc.content())
        truth.append(doc.truth(path.name))
    # A file again, byte for byte, under a name that comes later.
    (files / f"{AGAIN}.once_more.csv").write_bytes((files / f"{AGAIN}.csv").read_bytes())
    truth.append(Doc(AGAIN, status="duplicate", read=False).truth(f"{AGAIN}.once_more.csv"))
    found = {"source": SOURCE, "feed": FEED, "received": RECEIVED.isoformat(), "files": truth}
    (out / "truth.json").write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", "utf-8")
    return found


def _wide(text: str) -> str:
    return "".join(chr(ord(sign) + 0xFEE0) if "!" <= sign <= "~" else sign for sign in text)


def _read_reject(why: str) -> Fate:
    """A record that the reader cannot take."""
    return Fate("rejected", why, why, while_reading=True)


def _docs() -> Iterable[Doc]:
    yield from _encodings()
    yield from _layouts()
    yield from _headers()
    yield from _dates()
    yield from _numbers()
    yield from _rows()
    yield from _formats()


# -- encodings ---------------------------------------------------------------------------------------------------------

_ZH: dict[str, Any] = {"dealer_id": "华东电动车经销商", "note": "上海市浦东新区，加急"}
_DE: dict[str, Any] = {"dealer_id": "Müller & Söhne", "note": "Größe geprüft – 5 €", "currency_code": "EUR"}


def _encodings() -> Iterable[Doc]:
    for name, stated, codec in (
        ("utf8_stated", "utf-8", "utf-8"),
        ("utf8_bom", "utf-8", "utf-8-sig"),
        ("utf16_bom", "utf-16", "utf-16"),
        ("utf16_le", "utf-16-le", "utf-16-le"),
        ("utf16_be", "utf-16-be", "utf-16-be"),
        ("utf16_no_bom", "utf-16", "utf-16-be"),
        ("gb18030", "gb18030", "gb18030"),
        ("gbk", "gbk", "gbk"),
        ("auto_utf8", "auto", "utf-8"),
        ("auto_utf8_bom", "auto", "utf-8-sig"),
        ("auto_utf16", "auto", "utf-16"),
        ("auto_utf16_le", "auto", "utf-16-le"),
        ("auto_utf16_be", "auto", "utf-16-be"),
        ("auto_gb18030", "auto", "gb18030"),
        ("candidates_gbk", ["utf-8", "gb18030"], "gbk"),
    ):
        yield Doc(name, {"encoding": stated}, encoding=codec).good(**_ZH)
    yield Doc("cp1252", {"encoding": "cp1252"}, ENGLISH, encoding="cp1252").good(**_DE)
    yield Doc("auto_cp1252", {"encoding": "auto"}, ENGLISH, encoding="cp1252").good(**_DE)
    yield Doc("auto_western_utf8", {"encoding": "auto"}, ENGLISH).good(**_DE)
    yield (
        Doc("gbk_as_cp1252", {"encoding": "cp1252"}, ENGLISH, encoding="gbk")
        .good(**_ZH)
        .refused("the source profile says cp1252, the bytes look like gb18030")
    )
    yield Doc("utf8_as_gbk", {"encoding": "gb18030"}, ENGLISH).good(**_ZH).refused("the bytes look like utf-8")
    yield Doc("gbk_as_utf8", encoding="gbk").good(**_ZH).refused("the bytes are not text in utf-8")
    yield (
        Doc("auto_unsure", {"encoding": "auto"}, ENGLISH, encoding="mac_roman")
        .good(dealer_id="Besançon", note="crème brûlée")
        .refused("the encoding cannot be told")
    )
    whole = Doc("utf16_cut_off", {"encoding": "utf-16"}, encoding="utf-16").good(**_ZH)
    yield Bytes("utf16_cut_off", {"encoding": "utf-16"}, data=whole.content()[:-1]).refused("not text in utf-16")


# -- delimiters and lines ----------------------------------------------------------------------------------------------


def _layouts() -> Iterable[Doc]:
    yield Doc("tab", delimiter="\t").good()
    yield Doc("pipe", delimiter="|").good()
    yield Doc("semicolon", delimiter=";", header=ENGLISH, line_end="\n").good(note="a;b")
    yield Doc("old_mac_lines", line_end="\r").good()
    yield Doc("newlines_in_quotes").good(note='line one\nline two, with a "quote"')
    own = Bytes("row_end_of_its_own", {"delimiter": "+|", "row_end": "&|\n", "quote": ""}).good(
        note="line one\nline two"
    )
    rows = [CHINESE, *(line for line in own.lines if isinstance(line, tuple))]
    own.data = "".join("+|".join(row) + "&|\n" for row in rows).encode()
    yield own


# -- headers -----------------------------------------------------------------------------------------------------------


def _headers() -> Iterable[Doc]:
    yield Doc("header_english", header=ENGLISH).good()
    yield Doc("header_full_width", header=tuple(map(_wide, ENGLISH))).good()
    yield Doc("header_broken_lines", header=tuple(text.replace(" ", "\n") for text in ENGLISH)).good()
    yield Doc("header_upper_case", header=tuple(f" {text.upper()} " for text in ENGLISH)).good()
    yield Doc("header_skipped", {"skip_rows": 2}, above=["订单明细,,", "2026年3月"]).good()
    yield Doc("header_found_2", {"header": "find"}, above=["订单明细,,", "2026年3月"]).good()
    yield Doc(
        "header_found_5", {"header": "find"}, above=['"订单明细', "", "日期,2026年3月", "单据号,备注", ",,"]
    ).good()
    yield Doc("header_found_0", {"header": "find"}).good()
    yield (
        Doc("header_not_found", {"header": "find"}, header=(*CHINESE[:-1], "说明"), above=["订单"])
        .good()
        .refused("no header in the first 30 records; the likeliest one lacks note")
    )
    yield Doc("header_none", header=None).good()
    twice = Doc("header_twice").good(2).raw(CHINESE, HEADER_AGAIN).good(2)
    yield twice.raw(tuple(text.upper() for text in ENGLISH), HEADER_AGAIN).good(1)
    lacking = Doc("header_lacks_column", header=(*CHINESE[:8], "其他")).good()
    yield lacking.refused("required columns are missing: note")
    double = Doc("header_names_one_twice", header=("单据号", "Order No", *CHINESE[2:])).good()
    yield double.refused("more than one column of the file stands for order_no")
    more = Doc("header_with_more", {"encoding": "utf-8"}, header=(*CHINESE, "新列")).good()
    more.lines = [(*line, "x") for line in more.lines]
    yield more


# -- dates -------------------------------------------------------------------------------------------------------------


def _dates() -> Iterable[Doc]:
    forms: dict[str, Callable[[date], str]] = {
        "date_iso": date.isoformat,
        "date_short": lambda day: f"{day.year}-{day.month}-{day.day}",
        "date_slashes": lambda day: f"{day.year}/{day.month}/{day.day}",
        "date_year_dots": lambda day: f"{day.year}.{day.month:02}.{day.day:02}",
        "date_compact": lambda day: f"{day:%Y%m%d}",
        "date_german": lambda day: f"{day:%d.%m.%Y}",
        "date_chinese": lambda day: f"{day.year}年{day.month}月{day.day}日",
        "date_serial": lambda day: str(day_number(day)),
        "date_with_time": lambda day: f"{day.year}/{day.month}/{day.day} 9:05",
        "date_iso_time": lambda day: f"{day.isoformat()}T23:59:59.999",
        "date_full_width": lambda day: _wide(f"{day.year}/{day.month}/{day.day}"),
    }
    for name, form in forms.items():
        doc = Doc(name, day=form).good(5)
        yield doc.add(doc.order(9), rejected("order_date", "date", "bad date"), order_date="2026-02-30")
    american = Doc("date_american", {"dates": ["%m/%d/%Y"]}, day=lambda day: f"{day:%m/%d/%Y}").good(5)
    yield american.add(american.order(8), order_date="3/9/2026 1:30 PM").add(
        american.order(9), rejected("order_date", "date", "bad date"), order_date="25/03/2026"
    )
    yield Doc("date_british", {"dates": ["%d/%m/%Y"]}, day=lambda day: f"{day:%d/%m/%Y}").good(5)
    unclear = Doc("date_unclear").good(4)
    yield unclear.add(unclear.order(5), Fate("rejected", _ORDER), order_date="03/04/2026").add(
        unclear.order(6), Fate("rejected", _ORDER), order_date="25-03-2026 10:00"
    )
    all_unclear = Doc("date_all_unclear", day=lambda day: f"{day:%d/%m/%Y}")
    for number in range(1, 5):
        all_unclear.add(all_unclear.order(number), Fate("rejected", _ORDER))
    yield all_unclear.refused("4 of 4 rows cannot be taken (first in row 2: order_date does not say which", read=True)
    short = Doc("date_short_year").good(3)
    two_digits = Fate("rejected", "order_date has a year of two digits")
    yield short.add(short.order(4), two_digits, order_date="26/3/5").add(
        short.order(5), two_digits, order_date="05.03.26"
    )


# -- numbers -----------------------------------------------------------------------------------------------------------


def _numbers() -> Iterable[Doc]:
    forms: dict[str, tuple[Callable[[Decimal], str], dict[str, Any]]] = {
        "number_grouped": (lambda n: f"{n:,}", {}),
        "number_comma": (lambda n: f"{n:,}".translate(str.maketrans(",.", ".,")), {"decimal": ","}),
        "number_spaces": (lambda n: f"{n:,}".replace(",", "\xa0"), {}),
        "number_apostrophes": (lambda n: f"{n:,}".replace(",", "'"), {}),
        "number_yuan_sign": (lambda n: f"¥{n:,}", {}),
        "number_yuan_wide": (lambda n: f"￥{n}", {}),
        "number_code_before": (lambda n: f"CNY {n:,}", {}),
        "number_yuan_behind": (lambda n: f"{n}元", {}),
        "number_exponent": (lambda n: f"{n:E}", {}),
        "number_full_width": (lambda n: _wide(f"{n:,}"), {}),
        "number_plus": (lambda n: f"+{n}", {}),
    }
    for name, (form, profile) in forms.items():
        doc = Doc(name, profile, number=form).good(3)
        doc.add(doc.order(8, discount_pct=None, net_amount=Decimal("0.01")))
        yield doc.add(doc.order(9), rejected("net_amount", "decimal", "bad number"), net_amount="12,34.5.6")
    minus = Doc("number_negatives")
    for number, around in enumerate(("-{}", "({})", "{}-", "（{}）", "−{}", "-¥{}", "(¥{})", "¥({})"), start=1):
        minus.add(minus.order(number, net_amount=Decimal("-1234.50")), net_amount=around.format("1,234.50"))
    yield minus
    units = Doc("number_units")
    for number, (text, value) in enumerate(
        (
            ("3.5万", "35000"),
            ("1.2亿", "120000000"),
            ("¥3.5万元", "35000"),
            ("（5千）", "-5000"),
            ("２百万", "2000000"),
        ),
        start=1,
    ):
        units.add(units.order(number, net_amount=Decimal(value)), net_amount=text)
    yield units.add(units.order(9), rejected("net_amount", "decimal", "bad number"), net_amount="三万")
    percent = Doc("number_percent")
    for number, text in enumerate(("12.5%", "12.5 %", "１２．５％", "12.5"), start=1):
        percent.add(percent.order(number, discount_pct=Decimal("12.5")), discount_pct=text)
    yield percent.add(percent.order(9), rejected("net_amount", "decimal", "bad number"), net_amount="85%")
    other = Doc("number_other_currency").good(2)
    other.add(other.order(3, currency_code="EUR"), net_amount="€3,702.5")
    foreign = Fate("rejected", "net_amount names another currency than currency_code")
    yield other.add(other.order(4), foreign, net_amount="€5").add(other.order(5), foreign, net_amount="USD 5")
    small = Doc("number_scientific").add(Order("number_scientific-1", net_amount=Decimal("0.029")), net_amount="2.9E-2")
    yield small.add(Order("number_scientific-2", net_amount=Decimal("0.0001")), net_amount="5E-5")


# -- rows --------------------------------------------------------------------------------------------------------------


def _rows() -> Iterable[Doc]:
    totals = {"totals": {"column": "order_no", "values": ["合计", "Total"]}}
    blank = ("",) * len(COLUMNS)
    yield Doc("blank_at_the_end").good(3).raw("", BLANK).raw(blank, BLANK).raw(" ", BLANK).raw("\u3000", BLANK)
    yield Doc("blank_between").good(2).raw("", BLANK).good(1).raw(blank, BLANK).raw("", BLANK).good(1)
    total = ("", "", "", "9999.5", "", "", "", "")
    yield Doc("totals", totals).good(3).raw(("合计", *total), TOTALS)
    spaced = Doc("totals_spaced", totals).good(3).raw(("合\u3000计", *total), TOTALS)
    yield spaced.raw(("合 计：", *total), TOTALS).raw("TOTAL:,9", TOTALS)
    ragged = Doc("ragged").good(4)
    ragged.raw("A,1,D,1,1,CNY,5,2026-03-01,x,y", _read_reject("too many fields: 10 instead of 9"))
    yield ragged.raw("A,1,D", _read_reject("too few fields: 3 instead of 9"))
    unquoted = Doc("text_behind_a_quote").good(3)
    yield unquoted.raw('"A"x,1,D,1,1,CNY,5,2026-03-01,', _read_reject("text after a closing quote"))
    unclosed = Doc("quote_never_closed").good(3).raw('"A,1,D,1,1,CNY,5,2026-03-01,', ACCEPTED)
    yield unclosed.refused("a quoted value begins here and is never closed")
    nul = Doc("nul").good(3)
    yield nul.raw("A\0,1,D,1,1,CNY,5,2026-03-01,", _read_reject("a NUL character"))
    missing = Doc("missing_values", {"more_nulls": ["?"]})
    texts = ("NULL", "null", "N/A", "n/a", "-", "—", "无", "空", "未填", "?", " ", "\u3000NULL ")
    for number, text in enumerate(texts, start=1):
        missing.add(missing.order(number, note=None, discount_pct=None), note=text, discount_pct=text)
    missing.add(missing.order(21, note="NA", discount_pct=None), discount_pct="NA")
    spoilt = _read_reject("discount_pct, note: an error of a spreadsheet stands there, such as #N/A or ########")
    yield missing.add(missing.order(22), spoilt, note="#N/A", discount_pct="#N/A")
    repeated = Doc("repeated_rows").good(3)
    yield repeated.add(repeated.order(1), REPEAT).add(
        repeated.order(2), REPEAT, quantity="2.000", order_date="2026/3/3"
    )
    checks = Doc("every_rule").good(8)
    checks.add(checks.order(21, dealer_id=None), quarantined("dealer_missing", "check"))
    checks.add(checks.order(22, quantity=Decimal(-1)), quarantined("quantity_negative", "check"))
    checks.add(checks.order(23, quantity=Decimal(-2)), quarantined("quantity_negative", "check"), quantity="(2)")
    checks.add(checks.order(24, currency_code="XYZ"), quarantined("currency_unknown", "check"))
    checks.add(
        checks.order(25, discount_pct=Decimal(120)), quarantined("discount_out_of_range", "check"), discount_pct="120%"
    )
    yield checks.add(checks.order(26, net_amount=None), quarantined("net_amount_missing", "check"), net_amount="无")
    damaged = Doc("damaged_text", {"encoding": "utf-8"}).good(4)
    lost = Fate("rejected", "note: a character was lost or cut in half before the file was sent (U+FFFD)")
    twice = Fate("rejected", "note: text that somebody decoded in the wrong encoding and saved like that")
    control = Fate("rejected", "note: control characters that no text has: the encoding is not the one it was read in")
    damaged.add(damaged.order(5, note="Caf\ufffd"), lost).add(damaged.order(6, note="CafÃ©"), twice)
    yield damaged.add(damaged.order(7, note="Caf\x82"), control).add(damaged.order(8, note="«CAFÉ»"))
    mixed = Doc(
        "all_at_once", {**totals, "header": "find", "encoding": "auto"}, encoding="gb18030", above=["明细", "2026年"]
    )
    mixed.good(3, **_ZH).raw("", BLANK).raw(CHINESE, HEADER_AGAIN)
    mixed.add(mixed.order(11), order_date="2026年3月12日", net_amount="¥1.35745万", quantity="１１")
    mixed.add(mixed.order(12), Fate("rejected", _ORDER), order_date="03/04/2026")
    mixed.add(mixed.order(1, **_ZH), REPEAT).add(
        mixed.order(13, dealer_id=None), quarantined("dealer_missing", "check")
    )
    mixed.raw("A,1,D", _read_reject("too few fields: 3 instead of 9")).raw(("合 计", *total), TOTALS)
    yield mixed.raw(("",) * 9, BLANK)
    yield Bytes("empty", data=b"").refused("the file is empty (0 bytes)")
    yield Doc("header_only").refused("the file has a header and no records")
    page = b"<html><body><table><tr><td>1</td></tr></table></body></html>"
    yield Bytes("web_page", data=page).refused("required columns are missing")


# -- formats -----------------------------------------------------------------------------------------------------------


def _formats() -> Iterable[Doc]:
    for name, suffix, early in (
        ("xlsx", "xlsx", False),
        ("xlsx_1904", "xlsx", True),
        ("xls", "xls", False),
        ("xls_1904", "xls", True),
    ):
        profile = {"format": suffix, "header": "find", "totals": {"column": "order_no", "values": ["合计"]}}
        book = Book(name, profile, suffix=suffix, from_1904=early, above=["订单明细", "2026年3月"])
        book.good(3, **_ZH)
        # A day number without a date's format, a day and a number as text, a cell too many, a blank, a header, a total.
        book.add(book.order(11), order_date=day_number(date(2026, 3, 12), early))
        book.add(book.order(12), order_date="2026年3月13日", net_amount="¥14,808.50")
        book.add(book.order(13), Fate("rejected", _ORDER), order_date="03/04/2026")
        book.raw(("A", "1", *[""] * 7, "beyond"), _read_reject("too many fields: 10 instead of 9"))
        book.raw(("",), BLANK).raw(CHINESE, HEADER_AGAIN).raw(("合 计", "", "", "", "9"), TOTALS)
        yield book.add(book.order(14, quantity=Decimal(-1)), quarantined("quantity_negative", "check"))
    yield Book("xls_said_to_be_xlsx", {"format": "xlsx"}, suffix="xls").good(3)
    yield Bytes("web_page_as_xls", {"format": "xls"}, suffix="xls", data=b"<html><table></table></html>").refused(
        "the file is not a workbook that can be read"
    )
    yield _json("json", {"format": "json", "records": "data.items"}, "utf-8")
    yield _json("json_gbk", {"format": "json", "records": "data.items", "encoding": "auto"}, "gb18030")
    yield _json_lines()
    whole = _json("json_cut_off", {"format": "json", "records": "data.items"}, "utf-8")
    yield Bytes("json_cut_off", whole.profile, suffix="json", data=whole.content()[:-20]).refused("not valid JSON")
    yield _parquet()


def _objects(doc: Doc) -> list[dict[str, Any]]:
    return [dict(zip(CHINESE, line, strict=True)) for line in doc.lines if isinstance(line, tuple)]


def _json(name: str, profile: dict[str, Any], encoding: str) -> Bytes:
    doc = Bytes(name, profile, suffix="json").good(3, **_ZH)
    doc.add(doc.order(8), order_date="2026/3/9", net_amount="9,872.50")
    doc.add(doc.order(9), rejected("order_date", "date", "bad date"), order_date="gestern")
    records: list[Any] = [*_objects(doc), {}, "no object"]
    doc.raw("", BLANK).raw("", _read_reject("not a JSON object"))
    document = json.dumps({"data": {"items": records}}, ensure_ascii=False, indent=1)
    return replace(doc, data=document.encode(encoding))


def _json_lines() -> Bytes:
    doc = Bytes("json_lines", {"format": "jsonl"}, suffix="jsonl").good(3, **_ZH)
    lines = [json.dumps(record, ensure_ascii=False) for record in _objects(doc)]
    lines += ["", '{"单据号": "A', "[1]", '{"单据号": "A", "单据号": "B"}']
    doc.raw("", BLANK).raw("", _read_reject("not valid JSON")).raw("", _read_reject("not a JSON object"))
    doc.raw("", _read_reject("a key stands twice in one object: 单据号"))
    return replace(doc, data="\n".join(lines).encode())


def _parquet() -> Bytes:
    doc = Bytes("parquet", {"format": "parquet"}, suffix="parquet").good(3, **_ZH)
    doc.add(doc.order(8), order_date="2026年3月9日").add(
        doc.order(9, quantity=Decimal(-1)), quarantined("quantity_negative", "check")
    )
    rows = [line for line in doc.lines if isinstance(line, tuple)]
    doc.raw("", BLANK)
    columns = zip(*rows, ("",) * len(CHINESE), strict=True)
    arrays = [pa.array([text or None for text in texts], pa.string()) for texts in columns]
    stream = io.BytesIO()
    pq.write_table(pa.Table.from_arrays(arrays, names=list(CHINESE)), stream)
    return replace(doc, data=stream.getvalue())
