"""Writing a workbook: typed cells, tables with filters and frozen headers, native charts. It knows nothing of reviews.

Texts of the data are written as texts, whatever they begin with; the only formulas are those that this module is asked
for by ``formula``. The same content gives the same bytes: the workbook's dates are the given one, never now.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import xlsxwriter
from xlsxwriter.utility import xl_range_abs, xl_rowcol_to_cell

Kind = Literal["text", "long", "code", "whole", "number", "score", "share", "money", "date", "yes", "measure"]

_NUMBERS: dict[str, str] = {
    "whole": "#,##0",
    "number": "#,##0.##",
    "score": "0.00",
    "share": "0.0%",
    "money": "#,##0.00",
    "date": "yyyy-mm-dd",
}

# Units of KPIs that have a form of their own; all others are plain numbers.
_UNITS: dict[str, str] = {"share": "share", "currency": "money", "count": "whole"}

_WIDTHS: dict[str, float] = {
    "text": 14, "long": 44, "code": 14, "whole": 10, "number": 12, "score": 9, "share": 10, "money": 14, "date": 12,
    "yes": 8, "measure": 14,
}  # fmt: skip

_INK, _LINE, _HEAD, _SOFT = "#1C2430", "#D5DAE1", "#1F4E79", "#5D6878"
GOOD, MILD, BAD, PLAIN = "#DDF0E3", "#FCEFD0", "#F9DEDB", "#E8ECF1"
SERIES = ("#1F4E79", "#D98324", "#5B8E7D", "#8C8C8C", "#A23B72", "#C7B446")

_CELL_SIGNS = 32_767
_NO_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        name: Key of the row's value, and of the header's words.
        unit: For ``measure``: the key that holds the value's unit.
        colour: ``score`` colours 0 to 100 from red to green, ``share`` from 0 to 1; ``bar`` draws bars.
    """

    name: str
    kind: Kind = "text"
    width: float | None = None
    unit: str = ""
    colour: Literal["", "score", "share", "bar"] = ""


@dataclass(frozen=True)
class Block:
    """Where a table stands on its sheet: rows of the data, first and last (the last is above the first if none)."""

    sheet: str
    first: int
    last: int
    columns: Mapping[str, int]

    def range(self, name: str) -> str:
        """The cells of a column, as formulas and charts name them."""
        column = self.columns[name]
        return f"={_sheet(self.sheet)}!{xl_range_abs(self.first, column, max(self.first, self.last), column)}"


@dataclass(frozen=True)
class Series:
    """One series of a chart: its name, the ranges of its names and values."""

    name: str
    categories: str
    values: str
    options: dict[str, Any] = field(default_factory=dict)


class Book:
    """A workbook in the making."""

    def __init__(self, path: Path, about: Mapping[str, str], created: dt.datetime, words: Callable[[str, Any], str]):
        """
        Args:
            about: Title, author and so on, as Excel shows them.
            created: The date that stands in the properties.
            words: Gives the words of a code: ``words(column, value)``.
        """
        options = {
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
            "default_format_properties": {"font_name": "Calibri", "font_size": 10, "font_color": _INK},
        }
        self._book = xlsxwriter.Workbook(str(path), options)
        self._book.set_properties({**about, "created": created})
        self._book.set_calc_mode("auto")
        self.words = words
        self._formats: dict[tuple[tuple[str, Any], ...], Any] = {}

    def close(self) -> None:
        """Write the file."""
        self._book.close()

    def format(self, **properties: Any) -> Any:
        """A cell format, made once."""
        key = tuple(sorted(properties.items()))
        if key not in self._formats:
            base = {"font_name": "Calibri", "font_size": 10, "font_color": _INK, "valign": "top"}
            self._formats[key] = self._book.add_format({**base, **properties})
        return self._formats[key]

    def chart(self, kind: str, subtype: str = "") -> Any:
        """A native chart."""
        return self._book.add_chart({"type": kind, **({"subtype": subtype} if subtype else {})})

    def sheet(self, name: str, title: str, note: str = "", colour: str = _HEAD) -> Sheet:
        """A new sheet with its title in the first row and a note in the second."""
        return Sheet(self, self._book.add_worksheet(name), name, title, note, colour)


class Sheet:
    """A sheet of a workbook, filled from the top."""

    def __init__(self, book: Book, sheet: Any, name: str, title: str, note: str, colour: str) -> None:
        self._book, self.raw, self.name = book, sheet, name
        sheet.hide_gridlines(2)
        sheet.set_tab_color(colour)
        sheet.set_landscape()
        sheet.set_paper(9)  # A4
        sheet.fit_to_pages(1, 0)
        sheet.set_margins(0.4, 0.4, 0.6, 0.6)
        sheet.set_footer("&L&A&R&P / &N")
        sheet.set_row(0, 24)
        self.text(0, 0, title, bold=True, font_size=15, font_color=_HEAD)
        if note:
            self.text(1, 0, note, font_color=_SOFT)
        self.next = 3
        self._widths: dict[int, float] = {}

    # ------------------------------------------------------------------------------------------ cells

    def text(self, row: int, column: int, text: str, **properties: Any) -> None:
        """A text, whatever it begins with."""
        self.raw.write_string(row, column, clean(text), self._book.format(**properties))

    def number(self, row: int, column: int, value: float | Decimal, kind: Kind = "number", **properties: Any) -> None:
        """A number."""
        self.raw.write_number(row, column, value, self._book.format(num_format=_NUMBERS[kind], **properties))

    def formula(self, row: int, column: int, formula: str, value: Any, **properties: Any) -> None:
        """A formula of ours with the value that it has now, for readers that do not reckon."""
        self.raw.write_formula(row, column, formula, self._book.format(**properties), value)

    def cell(self, row: int, column: int, kind: Kind, value: Any, words: str = "") -> None:
        """A value of the data by its kind; nothing where it is missing."""
        properties: dict[str, Any] = {"bottom": 1, "bottom_color": _LINE}
        if kind == "long":
            properties["text_wrap"] = True
        if kind in _NUMBERS:
            properties["num_format"] = _NUMBERS[kind]
        else:
            properties |= {"align": "left", "indent": 1}  # a text beside a number stands apart from it
        look = self._book.format(**properties)
        if value is None or value == "":
            self.raw.write_blank(row, column, None, look)
        elif kind == "yes":
            self.raw.write_string(row, column, self._book.words("yes", bool(value)), look)
        elif kind == "code":
            self.raw.write_string(row, column, clean(self._book.words(words, value)), look)
        elif isinstance(value, dt.date):
            self.raw.write_datetime(row, column, value, look)
        elif isinstance(value, (int, float, Decimal)) and not isinstance(value, bool) and math.isfinite(value):
            self.raw.write_number(row, column, value, look)
        else:
            self.raw.write_string(row, column, clean(str(value)), look)

    def widen(self, column: int, width: float) -> None:
        """Make a column at least so wide."""
        if width > self._widths.get(column, 0):
            self._widths[column] = width
            self.raw.set_column(column, column, width)

    # ----------------------------------------------------------------------------------------- tables

    def heading(self, text: str, note: str = "", column: int = 0) -> None:
        """A heading of a part of the sheet."""
        self.raw.set_row(self.next, 20)
        self.text(self.next, column, text, bold=True, font_size=12, font_color=_HEAD)
        self.next += 1
        if note:
            self.text(self.next, column, note, font_color=_SOFT)
            self.next += 1

    def table(
        self,
        columns: Sequence[Column],
        rows: Sequence[Mapping[str, Any]],
        *,
        main: bool = False,
        frozen: bool = True,
        empty: str = "",
    ) -> Block:
        """A table below what stands there.

        Args:
            main: The sheet's own: it has filters.
            frozen: The main table's header stays in view, and is repeated on paper.
            empty: What is said where there are no rows.
        """
        header = self.next
        for place, column in enumerate(columns):
            side: dict[str, Any] = (
                {"align": "right"} if column.kind in _NUMBERS or column.unit else {"align": "left", "indent": 1}
            )
            head = self._book.format(
                bold=True, font_color="#FFFFFF", bg_color=_HEAD, text_wrap=True, valign="vcenter", border=1,
                border_color=_LINE, **side,
            )  # fmt: skip
            self.raw.write_string(header, place, clean(self._book.words("column", column.name)), head)
            self.widen(place, column.width or _WIDTHS[column.kind])
        self.raw.set_row(header, 30)
        for index, row in enumerate(rows, start=header + 1):
            lines = max(
                (_lines(row[column.name], column.width) for column in columns if column.kind == "long"), default=1
            )
            if lines > 1:  # said, as not every program finds it out by itself
                self.raw.set_row(index, _LINE_HEIGHT * min(lines, _MOST_LINES))
            for place, column in enumerate(columns):
                kind = column.kind
                if kind == "measure":
                    kind = _UNITS.get(row.get(column.unit) or "", "number")  # type: ignore[assignment]
                self.cell(index, place, kind, row[column.name], column.name)
        last = header + len(rows)
        if not rows and empty:
            self.text(header + 1, 0, empty, italic=True, font_color=_SOFT)
        if len(columns) > 16:
            self.raw.fit_to_pages(2, 0)
        if main and frozen:
            self.raw.freeze_panes(header + 1, min(2, len(columns)))
            self.raw.repeat_rows(header)
        if main:
            self.raw.autofilter(header, 0, max(last, header), len(columns) - 1)
        for place, column in enumerate(columns):
            if column.colour and rows:
                self.raw.conditional_format(header + 1, place, last, place, _COLOURS[column.colour])
        self.next = max(last, header + 1) + 2
        return Block(self.name, header + 1, last, {column.name: place for place, column in enumerate(columns)})

    def mark(self, block: Block, name: str, colours: Mapping[str, str]) -> None:
        """Colour the cells of a column that hold one of these words."""
        column = block.columns[name]
        for word, colour in colours.items():
            rule = {
                "type": "cell",
                "criteria": "==",
                "value": '"' + word.replace('"', '""') + '"',
                "format": self._book.format(bg_color=colour),
            }
            self.raw.conditional_format(block.first, column, max(block.first, block.last), column, rule)

    # ----------------------------------------------------------------------------------------- charts

    def chart(self, place: str | tuple[int, int], kind: str, title: str, series: Sequence[Series], **more: Any) -> Any:
        """A native chart at a cell.

        Args:
            more: ``subtype``, ``size`` in pixels, ``x`` (the names) and ``y`` (the figures) as xlsxwriter takes axes.
        """
        chart = self._book.chart(kind, more.get("subtype", ""))
        for number, part in enumerate(series):
            colour = SERIES[number % len(SERIES)]
            look: dict[str, Any] = {"fill": {"color": colour}} if kind in ("column", "bar") else {}
            dot: dict[str, Any] = {"type": "circle", "fill": {"color": colour}}
            if kind == "line":
                look = {
                    "line": {"color": colour, "width": 2},
                    "marker": {**dot, "size": 5, "border": {"color": colour}},
                }
            if kind == "scatter":
                look = {"marker": {**dot, "size": 7, "border": {"color": "#FFFFFF"}}}
            data = {"name": part.name, "categories": part.categories, "values": part.values}
            chart.add_series({**data, **look, **part.options})
        font: dict[str, Any] = {"size": 12, "color": _INK}
        chart.set_title({"name": title, "name_font": font, "overlay": False})
        lines: dict[str, Any] = {"visible": True, "line": {"color": _LINE}}
        grid = {"major_gridlines": lines}
        names: dict[str, Any] = {"line": {"color": _LINE}, **more.get("x", {})}
        figures: dict[str, Any] = {"line": {"none": True}, **grid, **more.get("y", {})}
        # Of bars that lie, xlsxwriter's x is the one across, where the figures are.
        chart.set_x_axis(figures if kind == "bar" else names)
        names["major_gridlines"] = {"visible": False}
        chart.set_y_axis(names if kind == "bar" else figures)
        legend: dict[str, Any] = {"position": "bottom"} if len(series) > 1 else {"none": True}
        chart.set_legend(legend)
        width, height = more.get("size", (560, 300))
        chart.set_size({"width": width, "height": height})
        cell = place if isinstance(place, str) else xl_rowcol_to_cell(*place)
        self.raw.insert_chart(cell, chart, {"object_position": 2, "description": title})
        return chart


_COLOURS: dict[str, dict[str, Any]] = {
    "score": {
        "type": "3_color_scale", "min_type": "num", "mid_type": "num", "max_type": "num", "min_value": 0,
        "mid_value": 60, "max_value": 100, "min_color": "#F2A39B", "mid_color": "#FCEFD0", "max_color": "#7CC59A",
    },
    "share": {
        "type": "3_color_scale", "min_type": "num", "mid_type": "num", "max_type": "num", "min_value": 0,
        "mid_value": 0.6, "max_value": 1, "min_color": "#F2A39B", "mid_color": "#FCEFD0", "max_color": "#7CC59A",
    },
    "bar": {"type": "data_bar", "bar_color": "#9DB8D6", "bar_solid": True},
}  # fmt: skip


def _lines(value: Any, width: float | None) -> int:
    """Lines that a text takes in a column; a Chinese sign takes the room of two."""
    room = (width or _WIDTHS["long"]) - 2
    parts = str(value or "")[:2000].split("\n")
    return sum(max(1, math.ceil(sum(2 if sign > "\u2e7f" else 1 for sign in part) / room)) for part in parts)


_LINE_HEIGHT, _MOST_LINES = 13.5, 12


def clean(text: str) -> str:
    """A text that a cell can hold: without signs that XML forbids, and no longer than Excel takes."""
    text = _NO_XML.sub("\ufffd", text)
    return text if len(text) <= _CELL_SIGNS else text[: _CELL_SIGNS - 1] + "…"


def _sheet(name: str) -> str:
    return "'" + name.replace("'", "''") + "'"
