"""Excel workbooks. Cells become the texts that a person would write: ISO dates, numbers without float noise."""

from __future__ import annotations

import datetime as dt
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any
from xml.parsers import expat

import duckdb
import python_calamine

from dealermart import workbooks
from dealermart.errors import DataError
from dealermart.profiles import FileSpec
from dealermart.readers import columns as columns_of
from dealermart.readers.columns import Columns
from dealermart.readers.table import Counts, Record, Target, totals

_Range = tuple[tuple[int, int], tuple[int, int]]  # first and last cell as row and column, counted from 0
_EXACT_INTEGERS = 2**53
_BROKEN_ARCHIVE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)
_WORKBOOK, _HEAD = "xl/workbook.xml", 256 * 1024
_BIFF_BEGIN, _BIFF_DATE_MODE, _BIFF_END = b"\x09\x08\x10\x00\x00\x06\x05\x00", 0x22, 0x0A


def read(con: duckdb.DuckDBPyConnection, path: Path, spec: FileSpec, target: Target, work: Path) -> Counts:
    """Read a sheet (xlsx, xls or ods); record numbers are Excel's row numbers. See ``readers.read``."""
    try:
        with python_calamine.CalamineWorkbook.from_path(path) as book:
            names = book.sheet_names
            if spec.sheet is not None and spec.sheet not in names:
                raise DataError(
                    f"there is no sheet {spec.sheet}; the workbook has: {', '.join(names)}",
                    where=str(path),
                    mend="set sheet in the source profile",
                )
            sheet = book.get_sheet_by_name(spec.sheet or names[0])
            # Rows and columns before the first used cell count: people say "row 7" as Excel does.
            rows = sheet.to_python(skip_empty_area=False)
            merged = sheet.merged_cell_ranges or []
        from_1904 = _counts_from_1904(path)
        errors = workbooks.errors(path, spec.sheet or names[0])
    except python_calamine.PasswordError:
        raise DataError(
            "the workbook is protected by a password", where=str(path), mend="ask for a copy without a password"
        ) from None
    except (python_calamine.CalamineError, OSError, IndexError, expat.ExpatError, *_BROKEN_ARCHIVE):
        raise _unreadable(path) from None
    except BaseException as error:
        # What a damaged file does to the library's Rust code; it has no class that could be named.
        if type(error).__name__ != "PanicException":
            raise
        raise _unreadable(path) from None
    numbered = enumerate(rows[spec.skip_rows :], start=spec.skip_rows + 1)
    columns = _columns(path, spec, numbered)
    counts = target.loader.add(
        target, spec, columns, _records(numbered, columns, spec, errors, _covered(path, merged, rows))
    )
    return replace(counts, from_1904=from_1904)


def _unreadable(path: Path) -> DataError:
    return DataError(
        "the file is not a workbook that can be read",
        where=str(path),
        mend="open it in Excel and save it as .xlsx, or set format in the source profile",
    )


def _columns(path: Path, spec: FileSpec, rows: Iterator[tuple[int, list[Any]]]) -> Columns:
    """The columns; the header is taken from the rows."""
    if not spec.header:
        return columns_of.positional(spec, str(path))
    best: tuple[int, list[str], str] = (-1, [], str(path))
    for number, row in rows if spec.header is True else islice(rows, columns_of.FIND_WITHIN):
        texts = [cell_text(cell).strip() for cell in row]
        while texts and not texts[-1]:
            texts.pop()
        where = f"{path}:{number}"
        if (spec.header is True and texts) or (spec.header == "find" and columns_of.is_header(texts, spec)):
            return columns_of.resolve(texts, spec, where)
        best = max(best, (columns_of.known(texts, spec), texts, where), key=lambda one: one[0])
    if spec.header == "find":
        raise columns_of.not_found(spec, best[1], best[2])
    raise DataError(
        "the sheet has no header and no records",
        where=str(path),
        mend="set sheet and skip_rows in the source profile, or ask for the file with its content",
    )


def _counts_from_1904(path: Path) -> bool:
    """Whether the workbook's day numbers count from 1904. Date cells arrive as dates; bare numbers need to know."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            if _WORKBOOK not in archive.namelist():
                return False
            with archive.open(_WORKBOOK) as part:
                return re.search(rb"date1904\s*=\s*[\"'](1|true)", part.read(_HEAD)) is not None
    with path.open("rb") as file:
        head = file.read(_HEAD)
    # The records of an xls workbook (type, length, content), from its beginning to the one that says it.
    place = head.find(_BIFF_BEGIN)
    while 0 <= place <= len(head) - 6:
        kind, length, content = struct.unpack_from("<HHH", head, place)
        if kind == _BIFF_DATE_MODE:
            return bool(content)
        place = -1 if kind == _BIFF_END else place + 4 + length
    return False


def _covered(path: Path, merged: Sequence[_Range], rows: Sequence[Sequence[Any]]) -> dict[int, list[int]]:
    """Cells that are merged with one above them, as columns by row, both from 1; a reader gives nothing there."""
    found: dict[int, list[int]] = {}
    left = sum(map(len, rows))
    for (top, first), (bottom, last) in merged:
        for row in range(top + 1, min(bottom, len(rows) - 1) + 1):
            columns = range(first + 1, min(last + 1, len(rows[row])) + 1)
            left -= len(columns)
            if left < 0:  # Excel lets no cell be merged twice
                raise _unreadable(path)
            found.setdefault(row + 1, []).extend(columns)
    return found


def _records(
    rows: Iterator[tuple[int, list[Any]]],
    columns: Columns,
    spec: FileSpec,
    errors: Mapping[int, list[int]],
    covered: Mapping[int, list[int]],
) -> Iterator[Record | None]:
    width = len(columns.names)
    for number, row in rows:
        texts = [cell_text(cell) for cell in row]
        texts += [""] * (width - len(texts))
        reason = None
        if number in errors or number in covered:
            reason = _hidden(number, texts, columns, spec, errors, covered)
        if reason is not None:
            yield Record(number, reason=reason, line="\t".join(texts))
        elif not any(text.strip() for text in texts):
            yield None
        elif any(text.strip() for text in texts[width:]):
            used = max(index for index, text in enumerate(texts, start=1) if text.strip())
            yield Record(number, reason=f"too many fields: {used} instead of {width}", line="\t".join(texts[:used]))
        else:
            yield Record(number, texts[:width])


def _hidden(
    number: int,
    texts: Sequence[str],
    columns: Columns,
    spec: FileSpec,
    errors: Mapping[int, list[int]],
    covered: Mapping[int, list[int]],
) -> str | None:
    """Why a row cannot be taken in which cells look empty and are not; a totals row is left as it is."""
    names = dict(enumerate(columns.names, start=1))
    if spec.totals and spec.totals.column in columns.names:
        label = texts[columns.names.index(spec.totals.column)].strip().lower()
        if label in totals(spec.totals.values):
            return None
    if wrong := [names[place] for place in errors.get(number, ()) if place in names]:
        return f"{', '.join(wrong)}: the cell holds an error, such as #N/A"
    wrong = [names[place] for place in covered.get(number, ()) if place in names]
    if wrong and any(text.strip() for text in texts):  # one merged as a whole is the lower half of the row above
        return f"{', '.join(wrong)}: the cell is merged with the one above it"
    return None


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
