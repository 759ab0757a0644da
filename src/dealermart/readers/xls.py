"""Old workbooks (xls)."""

from __future__ import annotations

import datetime as dt
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import xlrd

from dealermart.readers.cells import (
    ERROR,
    MERGED,
    Marks,
    Sheet,
    cell_text,
    covered,
    other_of,
    pick,
    protected,
    shown,
    zeros_of,
)

_NEWER_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")

_DURATION = re.compile(r"\[(h+|m+|s+)\]", re.IGNORECASE)


def old_sheet_of(path: Path, name: str | None) -> Sheet:
    """A sheet of a workbook (xls), by default the first.

    Raises:
        DataError: there is no such sheet, or the workbook has a password.
        Exception: the file is no workbook that can be read; the library has no class for that.
    """
    try:
        with Path(os.devnull).open("w") as nowhere:
            # Formats are asked for because merged cells, and how numbers are shown, come with them only.
            book = xlrd.open_workbook(
                str(path), logfile=nowhere, formatting_info=True, on_demand=True, ragged_rows=True
            )
            names = book.sheet_names()
            sheet = book.sheet_by_name(pick(names, name))
            others = [book.sheet_by_name(other) for other in names if other != sheet.name and name is None]
    except xlrd.XLRDError as error:
        if "encrypted" in str(error) or _NEWER_ENCRYPTED in path.read_bytes():
            raise protected() from None
        raise
    marks: Marks = {}
    for row in range(sheet.nrows):
        if wrong := [at for at, kind in enumerate(sheet.row_types(row), start=1) if kind == xlrd.XL_CELL_ERROR]:
            marks[row + 1] = {ERROR: wrong}
    merged = [((top, left), (bottom - 1, right - 1)) for top, bottom, left, right in sheet.merged_cells]
    covered(marks, merged, MERGED, sheet.nrows, sheet.ncols)
    beside = [other_of(other.name, _rows(book, other)) for other in others]
    return Sheet(sheet.name, _rows(book, sheet), marks, book.datemode == 1, [other for other in beside if other.rows])


def _rows(book: Any, sheet: Any) -> Iterator[list[str]]:
    for row in range(sheet.nrows):
        yield [cell_text(_value(book, sheet, row, column)) for column in range(sheet.row_len(row))]


def _value(book: Any, sheet: Any, row: int, column: int) -> Any:
    """A cell as cells of newer workbooks are given, by its format: days, times, durations, leading zeros.

    Nothing for an error.
    """
    kind, value = sheet.cell_type(row, column), sheet.cell_value(row, column)
    if kind == xlrd.XL_CELL_ERROR:
        return ""
    if kind == xlrd.XL_CELL_BOOLEAN:
        return bool(value)
    if kind not in (xlrd.XL_CELL_DATE, xlrd.XL_CELL_NUMBER) or value < 0:
        return value
    code = book.format_map[book.xf_list[sheet.cell_xf_index(row, column)].format_key].format_str
    if kind == xlrd.XL_CELL_NUMBER:
        form = zeros_of(code)
        return value if form is None else shown(value, form)
    try:
        if _DURATION.search(code):
            return dt.timedelta(days=value)
        moment = xlrd.xldate.xldate_as_datetime(value, book.datemode)
    except OverflowError:  # 20260301 in a cell that Excel was told is a day, which it shows as #####
        return value
    return moment.time() if value < 1 else moment
