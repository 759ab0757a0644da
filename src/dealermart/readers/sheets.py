"""Excel workbooks. Cells become the texts that a person would write: ISO dates, numbers without float noise."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path
from typing import Any

import duckdb

from dealermart.base import DataError
from dealermart.config import FileSpec
from dealermart.readers import apart
from dealermart.readers import columns as columns_of
from dealermart.readers.cells import ERROR, FORMULA, MERGED
from dealermart.readers.columns import Columns
from dealermart.readers.table import Counts, Record, Target, totals

_ABOVE = 20  # rows that say what stands in a column

_LONGEST_HEADER = 60

_MOST_NAMED, _LONGEST_NAME = 20, 40

# Columns by row, both from 1, by the reason why they cannot be taken.
_Marks = Mapping[int, Mapping[str, Sequence[int]]]


def read(con: duckdb.DuckDBPyConnection, path: Path, spec: FileSpec, target: Target, work: Path) -> Counts:
    """Read a sheet (xlsx or xls); record numbers are Excel's row numbers. See ``readers.read_all``."""
    with closing(apart.ask("sheet", path, spec.sheet)) as told:
        try:
            about = next(told)
            marks: _Marks = {int(row): reasons for row, reasons in about["marks"].items()}
            numbered = enumerate(chain.from_iterable(told), start=1)
            deque(islice(numbered, spec.skip_rows), maxlen=0)
            columns, header = _columns(path, spec, numbered, marks)
            _refuse_twin(path, spec, about, header)
            notes = list(_beside(about, header, spec))
            counts = target.loader.add(target, spec, columns, _records(numbered, columns, spec, marks, notes))
        except apart.Died:
            raise _unreadable(path) from None
    return replace(counts, from_1904=about["from_1904"], notes=tuple(notes))


def _unreadable(path: Path) -> DataError:
    return DataError(
        "the file is not a workbook that can be read",
        where=str(path),
        mend="open it in Excel and save it as .xlsx, or set format in the source profile",
    )


def _columns(
    path: Path, spec: FileSpec, rows: Iterator[tuple[int, list[str]]], marks: _Marks
) -> tuple[Columns, list[str]]:
    """The columns and the texts of the header, which is taken from the rows."""
    if not spec.header:
        return columns_of.positional(spec, str(path)), []
    best: tuple[int, list[str], str] = (-1, [], str(path))
    for number, row in rows if spec.header is True else islice(rows, columns_of.FIND_WITHIN):
        texts = _texts(row)
        where = f"{path}:{number}"
        if (spec.header is True and texts) or (spec.header == "find" and columns_of.is_header(texts, spec)):
            for reason in (ERROR, FORMULA):
                if any(column <= len(texts) for column in marks.get(number, {}).get(reason, ())):
                    raise DataError(f"in the header {reason}", where=where, mend="write the name of the column there")
            return columns_of.resolve(texts, spec, where), texts
        best = max(best, (columns_of.known(texts, spec), texts, where), key=lambda pair: pair[0])
    if spec.header == "find":
        raise columns_of.not_found(spec, best[1], best[2])
    raise DataError(
        "the sheet has no header and no records",
        where=str(path),
        mend="set sheet and skip_rows in the source profile, or ask for the file with its content",
    )


def _texts(row: Sequence[str]) -> list[str]:
    """A row trimmed, without what is empty at its end."""
    texts = [text.strip() for text in row]
    while texts and not texts[-1]:
        texts.pop()
    return texts


def _refuse_twin(path: Path, spec: FileSpec, about: Mapping[str, Any], header: Sequence[str]) -> None:
    """Refuse a workbook in which the sheet is not said and another one has its header, and rows below it."""
    if not spec.header:
        return
    keys = [columns_of.key(text) for text in header]
    twins = [
        name
        for name, rows, first in about["others"]
        if any(
            columns_of.is_header(texts, spec)
            if columns_of.named(spec)
            else [columns_of.key(text) for text in texts] == keys
            for texts in [texts for texts in map(_texts, first) if texts][: rows - 1]  # below the last one is nothing
        )
    ]
    if twins:
        raise DataError(
            f"more than one sheet has the header of the table: {', '.join((about['name'], *twins))}",
            where=str(path),
            mend="set sheet in the source profile, in an entry of its own for each that is to be read, or ask for one "
            "sheet with all rows",
        )


def _beside(about: Mapping[str, Any], header: Sequence[str], spec: FileSpec) -> Iterator[str]:
    """What is in the workbook besides the table."""
    others = about["others"]
    for name, rows, _ in others[:_MOST_NAMED]:
        yield f"sheet {name[:_LONGEST_NAME]} was not read ({rows:,} row{'s' if rows > 1 else ''})"
    if len(others) > _MOST_NAMED:
        yield f"{len(others) - _MOST_NAMED} more sheets were not read"
    gap = next((place for place, text in enumerate(header) if not text and any(header[:place])), None)
    if gap is not None and not columns_of.known(beside := [text for text in header[gap:] if text], spec):
        yield (
            f"{len(beside)} column{'s' if len(beside) > 1 else ''} behind an empty one, from the "
            f"{header.index(beside[0], gap) + 1}th on, may be another table"
        )


def _records(
    rows: Iterator[tuple[int, list[str]]], columns: Columns, spec: FileSpec, marks: _Marks, notes: list[str]
) -> Iterator[Record | None]:
    width = len(columns.names)
    above: deque[list[str]] = deque(maxlen=_ABOVE)
    is_after_blank, foreign = False, None
    for number, texts in rows:
        texts += [""] * (width - len(texts))
        reason = _hidden(number, texts, columns, spec, marks[number]) if number in marks else None
        is_blank = not any(text.strip() for text in texts)
        if is_after_blank and not is_blank:
            if _is_its_header(texts, columns):
                foreign = None
            elif _is_other_header(texts, spec):
                foreign = number
            elif foreign is None and _looks_like_header(texts, above):
                notes.append(
                    f"row {number} holds texts where numbers stood above the blank row before it: if another table "
                    "begins there, its rows were read as rows of the first"
                )
        if reason is None and foreign is not None and not is_blank:
            reason = f"it belongs to another table, whose header is in row {foreign}"
        is_after_blank = is_blank
        if reason is not None:
            yield Record(number, reason=reason, line="\t".join(texts))
        elif is_blank:
            yield None
        elif any(text.strip() for text in texts[width:]):
            used = max(index for index, text in enumerate(texts, start=1) if text.strip())
            yield Record(number, reason=f"too many fields: {used} instead of {width}", line="\t".join(texts[:used]))
        else:
            above.append(texts)
            yield Record(number, texts[:width])


def _is_its_header(texts: Sequence[str], columns: Columns) -> bool:
    return bool(columns.headers) and all(
        text.strip().lower() in seen for text, seen in zip(texts, columns.headers, strict=False)
    )


def _is_other_header(texts: Sequence[str], spec: FileSpec) -> bool:
    """Whether a row holds names of columns only, two at least, though not where the table has them."""
    filled = [text for text in texts if text.strip()]
    return bool(spec.header) and len(filled) > 1 and columns_of.known(filled, spec) == len(filled)


def _looks_like_header(texts: Sequence[str], above: Sequence[Sequence[str]]) -> bool:
    """Whether a row holds short texts only, two at least, one of them in a column that held numbers and days so far."""
    filled = [place for place, text in enumerate(texts) if text.strip()]
    if len(filled) < 2 or any(_is_figure(texts[place]) or len(texts[place]) > _LONGEST_HEADER for place in filled):
        return False
    held = [[row[place] for row in above if place < len(row) and row[place].strip()] for place in filled]
    return any(values and all(map(_is_figure, values)) for values in held)


def _is_figure(text: str) -> bool:
    """Whether a text is a number or a day, as far as can be told without a profile."""
    return any(map(str.isdigit, text)) and not any(map(str.isalpha, text))


def _hidden(
    number: int, texts: Sequence[str], columns: Columns, spec: FileSpec, marks: Mapping[str, Sequence[int]]
) -> str | None:
    """Why a row cannot be taken in which cells look empty and are not; a totals row is left as it is."""
    names = dict(enumerate(columns.names, start=1))
    if spec.totals and spec.totals.column in columns.names:
        label = texts[columns.names.index(spec.totals.column)].strip().lower()
        if label in totals(spec.totals.values):
            return None
    for reason in (ERROR, FORMULA, MERGED):
        wrong = [names[place] for place in dict.fromkeys(marks.get(reason, ())) if place in names]
        # A row merged as a whole is the lower half of the row above.
        if wrong and (reason is not MERGED or any(text.strip() for text in texts)):
            return f"{', '.join(wrong)}: {reason}"
    return None
