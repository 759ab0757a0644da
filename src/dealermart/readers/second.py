"""A second reader, the witness: the records of a file once more, by other libraries and by rules written down anew.

It shares nothing with the first one but the profile, so that a fault of either shows where the two differ. Simple and
slow is right here. It never judges and never cleans: who compares (``ingest/verify.py``) knows what may differ.
"""

from __future__ import annotations

import json
import multiprocessing
import re
import resource
import unicodedata
import warnings
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from decimal import Decimal
from itertools import chain, islice
from pathlib import Path
from typing import Any, NamedTuple, TextIO

import numpy as np
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import python_calamine

from dealermart.config import FileSpec

_OLE = b"\xd0\xcf\x11\xe0"

_BLANK = re.compile("[\\s\u200b-\u200d\u2060\ufeff]+")

_BLOCK = 1 << 20

_FIND_WITHIN = 30

_MOST_LINES = 100_000  # of one record

_MOST_MEMORY = 4 * 1024**3


class Seen(NamedTuple):
    """A record as the second reader sees it.

    Attributes:
        number: As ``readers.read_all`` counts.
        cells: Name and value of each; None where it is no record at all. Names are the header's own texts, those of the
            profile where there is no header, the path to a value in JSON, and None beyond the header. Values are texts
            of text files, and else what the library gives: numbers, days, None.
    """

    number: int
    cells: Sequence[tuple[str | None, Any]] | None


class Lost(Exception):
    """The second reader cannot read the file; the argument says why."""


def second_reading(path: Path, spec: FileSpec, encoding: str | None = None) -> Iterator[Seen]:
    """The records below the header of a file, in order, blank ones too (of a workbook up to the last one that is not).

    Args:
        encoding: What the text was read in, where the profile leaves that open.

    Raises:
        Lost: the file cannot be read.
    """
    try:
        if spec.format == "parquet":
            yield from _parquet(path)
        elif spec.format in ("xlsx", "xls"):
            yield from _below_header(_cells(path, spec), spec)
        else:
            with path.open(encoding=_codec(spec, encoding), errors="replace", newline="") as file:
                if file.read(1) != "\ufeff":
                    file.seek(0)
                if spec.format == "csv":
                    yield from _delimited(file, spec, path)
                else:
                    yield from _json(file, spec)
    except (Lost, GeneratorExit):
        raise
    except Exception as error:  # whatever one of four libraries raises on a file that the first reader could take
        raise Lost(f"{type(error).__name__} of the second reader") from error


def _codec(spec: FileSpec, told: str | None) -> str:
    """The encoding of the profile; that of the first reader where the profile leaves it or the byte order open."""
    stated = spec.encoding
    is_open = not isinstance(stated, str) or stated.lower().replace("_", "-") in ("auto", "utf-16", "utf16")
    return told or "utf-8" if is_open else str(stated)


# -- delimited text ----------------------------------------------------------------------------------------------------


class _Lines:
    """Lines of a text without their ends, cut at one kind of end; what was read ahead can be put back."""

    def __init__(self, file: TextIO, end: str) -> None:
        self.end, self._file, self._rest, self._waiting = end, file, "", deque[str]()

    def next(self) -> str | None:
        while not self._waiting:
            block = self._file.read(_BLOCK)
            *lines, self._rest = (self._rest + block).split(self.end)
            self._waiting.extend(lines)
            if not block:
                if not self._waiting and not self._rest:
                    return None
                self._waiting.append(self._rest)
                self._rest = ""
                return self._waiting.popleft()
        return self._waiting.popleft()

    def back(self, lines: Sequence[str]) -> None:
        self._waiting.extendleft(reversed(lines))


def _delimited(file: TextIO, spec: FileSpec, path: Path) -> Iterator[Seen]:
    lines = _Lines(file, _row_end(spec, path))
    number = 0
    while number < spec.skip_rows and lines.next() is not None:
        number += 1
    names: Sequence[str] = spec.columns
    if spec.header:
        # Titles above a header that is looked for may hold a quote that is never closed.
        for texts in _records(lines, spec, 2 * _FIND_WITHIN if spec.header == "find" else _MOST_LINES):
            number += 1
            if names := _header(texts or (), spec):
                break
        else:
            raise Lost("it finds no header")
    for texts in _records(lines, spec, _MOST_LINES):
        number += 1
        yield Seen(number, None if texts is None else _paired(names, texts))


def _row_end(spec: FileSpec, path: Path) -> str:
    if spec.row_end not in (None, "\n", "\r\n"):
        return str(spec.row_end)
    with path.open("rb") as file:
        returns = newlines = False
        for block in iter(lambda: file.read(_BLOCK), b""):
            returns, newlines = returns or b"\r" in block, newlines or b"\n" in block
    return "\r" if returns and not newlines else "\n"


def _records(lines: _Lines, spec: FileSpec, most: int) -> Iterator[list[str] | None]:
    """The fields of the records that follow; None for a line with a quote that is not closed in so many lines, or with
    text behind one that is."""
    while (text := lines.next()) is not None:
        more: list[str] = []
        while (fields := _fields(text, spec, lines.end)) is None:
            following = lines.next() if len(more) < most else None
            if following is None:
                lines.back(more)
                break
            more.append(following)
            text += lines.end + following
        yield fields or None


def _fields(text: str, spec: FileSpec, end: str) -> list[str] | None:
    """Cut a text at delimiters outside quotes. A doubled quote is a quote.

    Returns:
        The fields; none where text stands behind a closing quote; None where a quote is still open.
    """
    if end == "\n":
        text = text.removesuffix("\r")
    fields, at, quote, delimiter = [], 0, spec.quote, spec.delimiter
    while True:
        start = at
        while quote and delimiter != " " and text.startswith(" ", start):
            start += 1
        value, is_quoted = "", False
        if quote and text.startswith(quote, start):
            start, is_quoted = start + 1, True
            while True:
                close = text.find(quote, start)
                if close < 0:
                    return None
                value += text[start:close]
                start = close + 1
                if not text.startswith(quote, start):
                    break
                value += quote
                start += 1
        cut = text.find(delimiter, start)
        rest = text[start : cut if cut >= 0 else len(text)]
        if is_quoted and rest.strip():
            return []
        fields.append(value + rest)
        if cut < 0:
            return fields
        at = cut + len(delimiter)


# -- headers -----------------------------------------------------------------------------------------------------------


def _below_header(rows: Iterator[tuple[int, list[Any]]], spec: FileSpec) -> Iterator[Seen]:
    names: Sequence[str] = spec.columns
    rows = islice(rows, spec.skip_rows, None)
    if spec.header:
        names = next(filter(None, (_header([*map(_text, cells)], spec) for _, cells in rows)), ())
        if not names:
            raise Lost("it finds no header")
    for number, cells in rows:
        yield Seen(number, _paired(names, cells))


def header_key(text: str) -> str:
    """What header texts are compared by: without case and white space, full-width signs as ASCII ones."""
    return _BLANK.sub("", unicodedata.normalize("NFKC", text)).casefold()


def _header(texts: Sequence[str], spec: FileSpec) -> list[str]:
    """The texts of a record that is the header, and nothing if it is not."""
    found = [text.strip() for text in texts]
    while found and not found[-1]:
        found.pop()
    if spec.header == "find":
        keys = {header_key(text) for text in found}
        wanted = spec.required_columns or {**dict.fromkeys(spec.columns), **spec.aliases}
        for name in wanted:
            if keys.isdisjoint(header_key(text) for text in (name, *spec.aliases.get(name, ()))):
                return []
    return found


def _paired(names: Sequence[str], cells: Sequence[Any]) -> list[tuple[str | None, Any]]:
    beyond = max(len(cells) - len(names), 0)
    return list(zip([*names, *[None] * beyond], [*cells, *[""] * (len(names) - len(cells))], strict=True))


def _text(cell: Any) -> str:
    return "" if cell is None else str(int(cell) if isinstance(cell, float) and cell.is_integer() else cell)


# -- workbooks ---------------------------------------------------------------------------------------------------------


def _cells(path: Path, spec: FileSpec) -> Iterator[tuple[int, list[Any]]]:
    """Rows of a sheet with their numbers: old workbooks by calamine, new ones by openpyxl (the first reader does it the
    other way, with xlrd and calamine)."""
    with path.open("rb") as file:
        is_old = file.read(4) == _OLE
    blank: list[tuple[int, list[Any]]] = []  # rows that only have formats may follow the last one
    for row in enumerate(_old(path, spec.sheet) if is_old else _new(path, spec.sheet), start=1):
        if all(cell is None or cell == "" for cell in row[1]):
            blank.append(row)
            continue
        yield from blank
        blank.clear()
        yield row


def _new(path: Path, name: str | None) -> Iterator[list[Any]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of styles and extensions that openpyxl does not know
        with path.open("rb") as file, closing(openpyxl.load_workbook(file, read_only=True, data_only=True)) as book:
            sheet: Any = book[name or book.sheetnames[0]]
            sheet.reset_dimensions()  # what a file says of its size can be wrong
            for row in sheet.iter_rows(values_only=True):
                yield list(row)


def _old(path: Path, name: str | None) -> list[list[Any]]:
    """By a process of its own: a damaged old workbook can make calamine abort the one that it runs in."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), _bounded) as pool:
        return pool.submit(_old_rows, path, name).result()


def _bounded() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, _MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _old_rows(path: Path, name: str | None) -> list[list[Any]]:
    with python_calamine.CalamineWorkbook.from_path(path) as book:
        return book.get_sheet_by_name(name or book.sheet_names[0]).to_python(skip_empty_area=False)


# -- JSON and Parquet --------------------------------------------------------------------------------------------------


class _Pairs(list[tuple[str, Any]]):
    """A JSON object: all that is written, also where a key stands twice."""


def _json(file: TextIO, spec: FileSpec) -> Iterator[Seen]:
    def load(text: str) -> Any:
        return json.loads(text, parse_int=Decimal, parse_float=Decimal, object_pairs_hook=_Pairs)

    if spec.format == "jsonl":
        for number, line in enumerate(_ended(file), start=1):
            if number <= spec.skip_rows:
                continue
            try:
                yield Seen(number, _flat(load(line)) if line.strip() else ())
            except ValueError:
                yield Seen(number, None)
        return
    found = load(file.read())
    for step in spec.records.split(".") if spec.records else ():
        (found,) = (inner for key, inner in found if key == step)
    for number, record in enumerate(found, start=1):
        yield Seen(number, _flat(record))


def _ended(file: TextIO) -> Iterator[str]:
    lines = _Lines(file, "\n")
    while (line := lines.next()) is not None:
        yield line


def _flat(value: Any) -> list[tuple[str | None, Any]] | None:
    """Paths and values of a record; None of what is no object."""
    if value is None:
        return []
    if not isinstance(value, _Pairs):
        return None
    return list(_paths(value, ""))


def _paths(value: _Pairs, before: str) -> Iterator[tuple[str | None, Any]]:
    for key, inner in value:
        if isinstance(inner, _Pairs):
            yield from _paths(inner, f"{before}{key}.")
        else:
            yield before + key, inner


def _parquet(path: Path) -> Iterator[Seen]:
    with pq.ParquetFile(path) as file:
        numbers = range(1, file.metadata.num_rows + 1)
        names = file.schema_arrow.names
        records = chain.from_iterable(_rows(batch) for batch in file.iter_batches())
        for number, record in zip(numbers, records, strict=True):
            yield Seen(number, list(zip(names, record, strict=True)))


def _rows(batch: pa.RecordBatch) -> Iterable[tuple[Any, ...]]:
    columns = []
    for column in batch.columns:
        values = column.to_pylist()
        if pa.types.is_float32(column.type):  # 0.1 as it was meant, and not as a wider number shows it
            values = [None if value is None else Decimal(str(np.float32(value))) for value in values]
        columns.append(values)
    return zip(*columns, strict=True)
