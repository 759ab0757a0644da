"""Cells of a sheet as the texts that a person would write, and the sheets of workbooks (xlsx)."""

from __future__ import annotations

import datetime as dt
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import python_calamine

from dealermart.base import DataError
from dealermart.readers.workbooks import Looks, Parts, Range

ERROR = "the cell holds an error, such as #N/A"

FORMULA = "the cell holds a formula that was never calculated"

MERGED = "the cell is merged with the one above it"

FIRST_ROWS = 30  # of a sheet that is not read, in which a header is looked for

_EXACT_INTEGERS = 2**53

_SHOWN_EXACTLY = 10**15

_ZEROS = re.compile(r"""(?:\[\$-[0-9A-Fa-f]+\])?((?:0|[- ()]|\\.|"[^"]*")+)""")

# Columns by row, both from 1, for each of the reasons why the row cannot be taken.
Marks = dict[int, dict[str, list[int]]]


@dataclass(frozen=True)
class Other:
    """A sheet that is not read: how many rows have content, and the first ones as they stand."""

    name: str
    rows: int
    first: list[list[str]]


@dataclass(frozen=True)
class Sheet:
    """A sheet from its first row and column on, as texts.

    Attributes:
        marks: Cells that look empty and are not.
        from_1904: Whether the workbook's day numbers count from 1904. Date cells are dates; bare numbers need to know.
        others: Sheets with content beside it, where the first one was taken because nobody said which.
    """

    name: str
    rows: Iterator[list[str]]
    marks: Marks = field(default_factory=dict)
    from_1904: bool = False
    others: Sequence[Other] = ()

    def about(self) -> dict[str, Any]:
        """All but the rows, for JSON."""
        return {
            "name": self.name,
            "marks": self.marks,
            "from_1904": self.from_1904,
            "others": [[other.name, other.rows, other.first] for other in self.others],
        }


def new_sheet_of(path: Path, name: str | None) -> Sheet:
    """A sheet of a workbook (xlsx), by default the first.

    Raises:
        DataError: there is no such sheet, the workbook has a password, or its parts cannot be looked through.
        Exception: the file is no workbook that can be read; what a library says of that has no common class.
    """
    try:
        book = python_calamine.CalamineWorkbook.from_path(path)
    except python_calamine.PasswordError:
        raise protected() from None
    with book, zipfile.ZipFile(path) as archive:
        parts = Parts(archive)
        if [name for name, _ in parts.sheets] != book.sheet_names:
            raise parts.unusual()
        names = [sheet.name for sheet in book.sheets_metadata if sheet.typ == python_calamine.SheetTypeEnum.WorkSheet]
        chosen = pick(names, name)
        looks = parts.look(chosen, zeros=_zero_styles(parts))
        sheet = book.get_sheet_by_name(chosen)
        height, width = (sheet.end[0] + 1, sheet.end[1] + 1) if sheet.end else (0, 0)
        marks = _marks(looks, list(sheet.merged_cell_ranges or []), height, width)
        rows = _texts(sheet, looks.shown, max([height, *(row for row in marks if FORMULA in marks[row])]))
        others = [_other(book.get_sheet_by_name(other)) for other in names if other != chosen and name is None]
    return Sheet(chosen, rows, marks, parts.from_1904, [other for other in others if other.rows])


def pick(names: Sequence[str], name: str | None) -> str:
    """The sheet to read.

    Raises:
        DataError: it is not there.
    """
    if not names:
        raise DataError("the workbook has no sheet of cells", mend="ask for the file with its content")
    if name not in (None, *names):
        raise DataError(
            f"there is no sheet {name}; the workbook has: {', '.join(names)}", mend="set sheet in the source profile"
        )
    return name or names[0]


def protected() -> DataError:
    """The error for a workbook with a password."""
    return DataError("the workbook is protected by a password", mend="ask for a copy without a password")


def other_of(name: str, rows: Iterable[list[str]]) -> Other:
    """What there is to say of a sheet that is not read."""
    count, first = 0, []
    for number, row in enumerate(rows):
        count += any(text.strip() for text in row)
        if number < FIRST_ROWS:
            first.append(row)
    return Other(name, count, first)


def covered(marks: Marks, ranges: Iterable[Range], reason: str, height: int, width: int, below: int = 1) -> None:
    """Mark cells of ranges (from 0) that are not in the first row of theirs, as far as the sheet reaches.

    Args:
        below: 0 to mark the first row, too.

    Raises:
        ValueError: they are more than the sheet has, as no program lets them overlap.
    """
    left = height * width
    for (top, first), (bottom, last) in ranges:
        columns = range(first + 1, min(last + 1, width) + 1)
        for row in range(top + below, min(bottom, height - 1) + 1):
            left -= len(columns)
            if left < 0:
                raise ValueError(reason)
            marks.setdefault(row + 1, {}).setdefault(reason, []).extend(columns)


@cache
def zeros_of(code: str) -> str | None:
    """A format of numbers that shows leading zeros and nothing but digits and fixed signs, such as 00000 or 000-000.

    Returns:
        What it shows, with NUL for a digit; None for any other format.
    """
    found = _ZEROS.fullmatch(code)
    if not found or found[1].count("0") < 2:  # most formats are other ones
        return None
    signs = re.findall(r"""0|[- ()]|\\.|"[^"]*\"""", found[1])
    shown = "".join("\0" if sign == "0" else sign.strip('"') if sign[0] == '"' else sign[-1] for sign in signs)
    return shown if shown.count("\0") > 1 else None


def shown(value: Any, form: str) -> Any:
    """A number as ``zeros_of`` its format shows it, filled from the right; anything else is left as it is."""
    if not isinstance(value, (int, float)) or isinstance(value, bool) or value != value // 1:
        return value
    if not 0 <= value < _SHOWN_EXACTLY:
        return value
    places = form.count("\0")
    digits = str(int(value)).zfill(places)
    first, rest = digits[: len(digits) - places + 1], iter(digits[len(digits) - places + 1 :])
    head, _, tail = form.partition("\0")
    return head + first + "".join(next(rest) if sign == "\0" else sign for sign in tail)


def cell_text(cell: Any) -> str:
    """A cell as text.

    Whole numbers have no point. Others have at most 15 significant digits, as many as Excel itself shows, so that
    0.1 + 0.2 is 0.3; never an exponent. Dates are ISO, without a time at midnight. Durations are hours:minutes:seconds.
    """
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, float):
        if cell.is_integer() and abs(cell) <= _EXACT_INTEGERS:
            return str(int(cell))
        text = format(Decimal(format(cell, ".15g")), "f")
        return text.rstrip("0").rstrip(".") if "." in text else text
    if isinstance(cell, dt.datetime):
        return cell.date().isoformat() if cell.time() == dt.time() else cell.isoformat(sep=" ")
    if isinstance(cell, dt.timedelta):
        seconds = round(cell.total_seconds())
        sign, seconds = ("-", -seconds) if seconds < 0 else ("", seconds)
        return f"{sign}{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    if isinstance(cell, (dt.date, dt.time)):
        return cell.isoformat()
    return str(cell)


def _zero_styles(parts: Parts) -> dict[str, str]:
    """The styles of cells that show leading zeros, by the number that cells name them by."""
    formats = {style: zeros_of(code) for style, code in parts.formats().items()}
    return {style: form for style, form in formats.items() if form is not None}


def _marks(looks: Looks, merged: Sequence[Range], height: int, width: int) -> Marks:
    marks: Marks = {}
    for reason, found in ((ERROR, looks.errors), (FORMULA, looks.formulas)):
        for row, columns in found.items():
            marks.setdefault(row, {})[reason] = columns
    covered(marks, looks.arrays, FORMULA, height, width, below=0)
    covered(marks, merged, MERGED, height, width)
    return marks


def _texts(sheet: Any, zeros: Mapping[tuple[int, int], str], height: int) -> Iterator[list[str]]:
    """The rows of a sheet, at least so many. Those and columns before the first used cell count: people say "row 7" as
    Excel does."""
    top, left = sheet.start or (0, 0)
    by_row: dict[int, list[int]] = {}
    for row, column in zeros:
        by_row.setdefault(row, []).append(column)
    before, number = [""] * left, 0
    for number, row in enumerate(sheet.iter_rows() if sheet.start else (), start=1):
        cells = [] if number <= top else [*before, *row]
        for column in by_row.get(number, ()) if number > top else ():
            if column <= len(cells):
                cells[column - 1] = shown(cells[column - 1], zeros[number, column])
        yield list(map(cell_text, cells))
    for _ in range(number, height):
        yield []


def _other(sheet: Any) -> Other:
    return other_of(sheet.name, _texts(sheet, {}, 0))
