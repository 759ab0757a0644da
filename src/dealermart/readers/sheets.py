"""Excel workbooks. Cells become the texts that a person would write: ISO dates, numbers without float noise."""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any
from xml.parsers import expat

import duckdb

from dealermart.base import DataError
from dealermart.config import FileSpec
from dealermart.readers import columns as columns_of
from dealermart.readers.cells import NoSheet, Protected, Range, Unreadable, cell_text, sheet_of
from dealermart.readers.columns import Columns
from dealermart.readers.table import Counts, Record, Target, totals
from dealermart.readers.workbooks import cell_errors
from dealermart.readers.xls import MAGIC, old_sheet_of

_BROKEN_ARCHIVE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)

_WORKBOOK, _HEAD = "xl/workbook.xml", 256 * 1024


def read(con: duckdb.DuckDBPyConnection, path: Path, spec: FileSpec, target: Target, work: Path) -> Counts:
    """Read a sheet (xlsx or xls); record numbers are Excel's row numbers. See ``readers.read_all``."""
    try:
        if zipfile.is_zipfile(path):
            sheet = sheet_of(path, spec.sheet)
            sheet = replace(sheet, errors=_errors(path, sheet.name), from_1904=_counts_from_1904(path))
        elif _is_old(path):
            sheet = old_sheet_of(path, spec.sheet)
        else:
            raise _unreadable(path)
    except NoSheet as error:
        raise DataError(
            f"there is no sheet {spec.sheet}; the workbook has: {', '.join(error.args)}",
            where=str(path),
            mend="set sheet in the source profile",
        ) from None
    except Protected:
        raise DataError(
            "the workbook is protected by a password", where=str(path), mend="ask for a copy without a password"
        ) from None
    except (Unreadable, expat.ExpatError, OSError, *_BROKEN_ARCHIVE):
        raise _unreadable(path) from None
    rows = sheet.rows
    numbered = enumerate(rows[spec.skip_rows :], start=spec.skip_rows + 1)
    columns = _columns(path, spec, numbered)
    counts = target.loader.add(
        target, spec, columns, _records(numbered, columns, spec, sheet.errors, _covered(path, sheet.merged, rows))
    )
    return replace(counts, from_1904=sheet.from_1904)


def _errors(path: Path, sheet: str) -> dict[int, list[int]]:
    try:
        return cell_errors(path, sheet)
    except DataError as error:
        raise DataError(error.what, where=str(path), mend=error.mend) from None


def _is_old(path: Path) -> bool:
    """Whether a file is a container of the kind in which xls files are kept."""
    with path.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


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
        best = max(best, (columns_of.known(texts, spec), texts, where), key=lambda pair: pair[0])
    if spec.header == "find":
        raise columns_of.not_found(spec, best[1], best[2])
    raise DataError(
        "the sheet has no header and no records",
        where=str(path),
        mend="set sheet and skip_rows in the source profile, or ask for the file with its content",
    )


def _counts_from_1904(path: Path) -> bool:
    """Whether the day numbers of a workbook (xlsx) count from 1904."""
    with zipfile.ZipFile(path) as archive:
        if _WORKBOOK not in archive.namelist():
            return False
        with archive.open(_WORKBOOK) as part:
            return re.search(rb"date1904\s*=\s*[\"'](1|true)", part.read(_HEAD)) is not None


def _covered(path: Path, merged: Sequence[Range], rows: Sequence[Sequence[Any]]) -> dict[int, list[int]]:
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
