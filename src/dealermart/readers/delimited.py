"""CSV and its relatives.

Two roads lead to one table. Plain files (one ASCII delimiter, quotes only around whole fields, one kind of line end)
are read by DuckDB in parallel and checked: against the records counted from the bytes and against some records read
again. All others are parsed by Python's csv module record by record, slower and exact. What the engine rejects is
judged by the second road; if that one would take the record, it takes the whole file.
"""

from __future__ import annotations

import csv
import re
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import numpy as np
import pyarrow as pa

from dealermart.base import DataError, literal, quoted
from dealermart.config import FileSpec
from dealermart.readers import columns as columns_of
from dealermart.readers.columns import Columns, is_code
from dealermart.readers.encodings import as_utf8, copied
from dealermart.readers.survey import LONGEST_LINE, NotEncoded, Positions, Survey, decoded, ordinals, survey, too_long
from dealermart.readers.table import Counts, Record, Target, clean, cleaned, drop, finish, reject, selection, totals

_BOM = b"\xef\xbb\xbf"

# Unicode keeps these for use inside programs; here for a long delimiter and for newlines that do not end a record.
_DELIMITER, _NEWLINE, _RETURN = "\ufdd0", "\ufdd1", "\ufdd2"

_INNER = (_DELIMITER, _NEWLINE, _RETURN)

_NEWLINES = {"\n": r"\n", "\r\n": r"\r\n"}  # as DuckDB writes them

_MOST_ENGINE_REJECTS = 100_000

_MOST_COMPARED = 50  # records; for up to so many the engine goes straight to the rows, and else through the table

_MOST_LINES = 100_000  # of one record; more of them are an open quote, and would be held in memory

_MOST_SWALLOWED = 100  # lines of one value that look like records; more are too many to stand in the ledger as one

_FEW_LINES = 3  # that look like records inside a value whose ends do not; more of them are records

_DELIMITERS = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a vertical bar"}

_CHUNK = 1024 * 1024


class _NotPlain(Exception):
    """The engine and the count differ, or the engine gave up: the other road decides."""


class _Line(NamedTuple):
    """A piece of a file up to a row end: number (1-based), text with the row end as a newline, position after it."""

    number: int
    text: str
    after: int


class _Parsed(NamedTuple):
    """A record as the csv rules give it: lines it took, text, fields, or why it has none."""

    first_line: int
    lines: int
    text: str
    fields: list[str]
    reason: str | None
    after: int


@dataclass(frozen=True)
class _Head:
    """Where the records begin.

    Attributes:
        columns: The columns.
        records: Records before the first one: skipped and blank lines, and the header.
        lines: Lines that they take.
        start: Byte after them.
        simple: Whether the engine can skip them by counting lines.
    """

    columns: Columns
    records: int
    lines: int
    start: int
    simple: bool


def read(con: duckdb.DuckDBPyConnection, path: Path, spec: FileSpec, target: Target, work: Path) -> Counts:
    """Read a delimited file; see ``readers.read``."""
    text, encoding = as_utf8(path, spec.encoding, work)
    limit = csv.field_size_limit(LONGEST_LINE)  # the module's own limit is 128 kB, and it is global
    try:
        spec = spec.model_copy(update={"encoding": encoding.name})
        try:
            counts = _read(con, text, spec, target, work)
        except NotEncoded:
            if text != path:
                raise
            text = copied(path, encoding.name, work)
            counts = _read(con, text, spec, target, work)
        return replace(counts, encoding=encoding.name, confidence=encoding.confidence)
    except DataError as error:
        if text == path:
            raise
        raise DataError(error.what, where=error.where.replace(str(text), str(path)), mend=error.mend) from None
    finally:
        csv.field_size_limit(limit)
        if text != path:
            text.unlink()


def _read(con: duckdb.DuckDBPyConnection, path: Path, spec: FileSpec, target: Target, work: Path) -> Counts:
    if spec.row_end in (None, "\n", "\r\n") and _has_only_returns(path):
        spec = spec.model_copy(update={"row_end": "\r"})
    head = _head(path, spec)
    if path.stat().st_size <= head.start:
        raise DataError(
            "the file has a header and no records" if spec.header else "the file holds no records",
            where=str(path),
            mend="if there is nothing to report, deliver nothing; otherwise ask the sender for the rows",
        )
    if _may_be_plain(spec, head.columns):
        try:
            return _read_by_engine(con, path, spec, target, head, work)
        except _NotPlain:
            drop(con, target.table)
    return target.loader.add(target, spec, head.columns, _records(path, spec, head))


# -- by the engine -----------------------------------------------------------------------------------------------------


def _may_be_plain(spec: FileSpec, columns: Columns) -> bool:
    """Whether DuckDB's reader knows the form; of a single column it cannot tell blank lines from missing values."""
    single = (
        len(spec.delimiter) == 1
        and spec.delimiter.isascii()
        and not spec.delimiter.isalnum()
        and spec.delimiter not in " \r\n\\"
    )
    return (
        single
        and spec.quote.isascii()
        and spec.quote != spec.delimiter
        and spec.row_end in (None, "\n", "\r\n")
        and len(columns.names) > 1
    )


def _read_by_engine(
    con: duckdb.DuckDBPyConnection, path: Path, spec: FileSpec, target: Target, head: _Head, work: Path
) -> Counts:
    found = survey(path, head.start, head.lines + 1, spec.delimiter, spec.quote, len(head.columns.names))
    if found.oddity:
        raise _NotPlain(found.oddity)
    with path.open("rb") as file:
        for _, start, end in found.loose:
            file.seek(start)
            if _swallowed(_parse_one(_body(file.read(end - start).decode()), spec), len(head.columns.names), spec):
                raise _NotPlain("a stray quote")
    copy = None
    if not head.simple:
        copy = work / f"{path.name}.records"
        with path.open("rb") as source, copy.open("wb") as into:
            source.seek(head.start)
            shutil.copyfileobj(source, into, _CHUNK)
    try:
        return _load_plain(
            con, copy or path, 0 if copy else head.start, 0 if copy else head.lines, found, spec, target, head
        )
    finally:
        if copy:
            copy.unlink()


def _load_plain(
    con: duckdb.DuckDBPyConnection,
    path: Path,
    start: int,
    skip: int,
    found: Survey,
    spec: FileSpec,
    target: Target,
    head: _Head,
) -> Counts:
    errors, scans = f"{target.table}__errors", f"{target.table}__scans"
    types = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in head.columns.names)
    # Words that mean missing are left as they are, so that they can be counted. An empty list of texts for NULL means
    # the default; no plain file holds the character U+0000.
    null = "''" if "" in spec.missing else "chr(0)"
    quote = literal(spec.quote)
    source = f"""read_csv({literal(str(path))},
        auto_detect = false, header = false, skip = {skip}, columns = {{{types}}},
        delim = {literal(spec.delimiter)},
        quote = {quote}, escape = {quote}, new_line = {literal(_NEWLINES[found.newline])},
        parallel = {not found.folded}, nullstr = [{null}], store_rejects = true, rejects_limit = 0,
        rejects_table = {literal(errors)}, rejects_scan = {literal(scans)})"""
    try:

        def expression(name: str) -> str:
            is_in_order = not (found.padded or (found.wide and (is_code(name) or name in spec.key)))
            return quoted(name) if is_in_order else cleaned(quoted(name), name, spec)

        con.execute(f"create table {target.rows} as {_rows(source, head.columns, expression)}")
        rejected = con.execute(f"""
            select line_byte_position - 1, any_value(csv_line) from {quoted(errors)}
            group by all order by all limit {_MOST_ENGINE_REJECTS + 1}
        """).fetchall()
    except duckdb.InvalidInputException:
        raise _NotPlain("the engine gave up") from None
    finally:
        for name in (errors, scans):
            con.execute(f"drop table if exists {quoted(name)}")
    if len(rejected) > _MOST_ENGINE_REJECTS:
        raise _NotPlain("too many rejects")
    first = head.records + 1
    numbers = ordinals(path, start, spec.quote, np.array([position for position, _ in rejected], dtype=np.int64))
    special = np.union1d(found.blanks, numbers)
    rows = con.execute(f"select count(*) from {target.rows}").fetchall()[0][0]
    if rows + len(special) != found.records or len(special) != len(found.blanks) + len(rejected) or (numbers < 0).any():
        raise _NotPlain("the engine and the count differ")
    structural, refused = len(found.blanks), []
    for number, (_, line) in zip(numbers, rejected, strict=True):
        text = line.lstrip("\r\n")
        verdict = _judged(_parse_one(text, spec), head.columns, spec)
        if verdict == "":
            structural += 1
        elif verdict is None:
            raise _NotPlain("the engine rejects what the rules take")
        else:
            refused.append((int(number) + first, verdict, text))
    numbered = np.arange(first, first + found.records)
    if len(special):
        numbered = np.delete(numbered, special)
    _compare(con, path, start - head.start, spec, target, head, found, numbered)
    reject(con, target, refused)
    counts = Counts(found.records, structural, len(refused), suspect=found.suspect)
    return finish(con, target, spec, head.columns, counts, numbered)


def _rows(source: str, columns: Columns, expression: Callable[[str], str]) -> str:
    return f"select {selection(columns, expression)} from {source}"


def _compare(
    con: duckdb.DuckDBPyConnection,
    path: Path,
    shift: int,
    spec: FileSpec,
    target: Target,
    head: _Head,
    found: Survey,
    numbers: Positions,
) -> None:
    """Read some records again by the other road: the same values must stand in the rows of the same numbers.

    They are spread over the whole file and the last sample is always among them: what shifts, shifts all that follows.

    Args:
        shift: From positions in the file surveyed to those in ``path``.
        numbers: Record number by row.
    """
    expected = {}
    with path.open("rb") as file:
        for ordinal, start, end in found.samples[:: min(-len(found.samples) // _MOST_COMPARED, -1)]:
            row = int(np.searchsorted(numbers, head.records + 1 + ordinal))
            if row < len(numbers) and numbers[row] == head.records + 1 + ordinal:
                file.seek(start + shift)
                fields = _parse_one(_body(file.read(end - start).decode()), spec).fields[: len(head.columns.names)]
                named = zip(fields, head.columns.names, strict=False)
                expected[row] = tuple(clean(field, name, spec) for field, name in named)
    names = ", ".join(map(quoted, head.columns.names))
    con.register("samples", pa.table({"row": pa.array(expected, pa.int64())}))
    rows = con.execute(f"select rowid, {names} from {target.rows} where rowid in (select row from samples)").fetchall()
    con.unregister("samples")
    if {row: values for row, *values in rows} != {row: list(values) for row, values in expected.items()}:
        raise _NotPlain("the engine and the file differ")


# -- by Python ---------------------------------------------------------------------------------------------------------


def _records(path: Path, spec: FileSpec, head: _Head) -> Iterator[Record | None]:
    """The records after the head, blank ones as None."""
    width = len(head.columns.names)
    for ordinal, parsed in enumerate(_parse(_lines(path, spec.row_end, head.start, head.lines), spec, path)):
        verdict = _judged(parsed, head.columns, spec)
        if verdict and parsed.lines > _MOST_SWALLOWED and (lines := _swallowed(parsed, width, spec)):
            raise DataError(
                f"a stray quote: a value of the record that begins here holds {lines} lines like records",
                where=f"{path}:{parsed.first_line}",
                mend=_MEND_QUOTE,
            )
        if verdict == "":
            yield None
        elif verdict is None:
            yield Record(head.records + ordinal + 1, parsed.fields[:width])
        else:
            yield Record(head.records + ordinal + 1, reason=verdict, line=parsed.text)


def _judged(parsed: _Parsed, columns: Columns, spec: FileSpec) -> str | None:
    """None: a good record. Nothing: a structural one. Else the reason why it is rejected."""
    width, fields = len(columns.names), parsed.fields
    if parsed.reason is None and not any(field.strip() for field in fields):
        return ""
    if "\0" in parsed.text:
        return "a NUL character"
    if lines := _swallowed(parsed, width, spec):
        return f"a stray quote: a value of the record in line {parsed.first_line} holds {lines} lines like records"
    if parsed.reason is not None:
        return parsed.reason
    if len(fields) != width and spec.totals and spec.totals.column in columns.names[: len(fields)]:
        label = fields[columns.names.index(spec.totals.column)].strip().lower()
        if label in totals(spec.totals.values):
            return ""
    if len(fields) < width:
        return f"too few fields: {len(fields)} instead of {width}"
    # Missing values after the last field say nothing: some systems end each row with a delimiter.
    if any(field.strip() not in ("", *spec.missing) for field in fields[width:]):
        return f"too many fields: {len(fields)} instead of {width}"
    return None


def _swallowed(parsed: _Parsed, width: int, spec: FileSpec) -> int:
    """How many lines inside quotes have as many fields as the header: a stray quote made one value of records.

    A text of several lines is no such value, as its lines have fewer delimiters. One before a blank is punctuation,
    unless the record itself is written so. Of a record with all its fields, the value's ends must complete two records
    as well, or a good many lines speak for it: in a narrow table a line of an address or a letter can look like one.
    """
    ended = spec.row_end if spec.row_end not in (None, "\n", "\r\n") else "\n"
    if width < 2 or not spec.quote or "\n" not in parsed.text:
        return 0
    quote, prose = re.escape(spec.quote), f"{spec.delimiter} "
    plain = re.sub(f"{quote}(?:[^{quote}]|{quote}{quote})*{quote}", "", parsed.text)
    is_spaced = prose in plain or spec.delimiter == " "

    def fields(line: str) -> list[str]:
        return (line if is_spaced else line.replace(prose, "")).split(spec.delimiter)

    def is_record(line: str, fields_before: int = 0) -> bool:
        found = fields(line)
        needed = width - fields_before
        return len(found) >= needed and not any(field.strip() for field in found[needed:])

    if len(parsed.fields) < width:
        return sum(map(is_record, parsed.text.split("\n")[1:-1]))
    lines = 0
    is_whole = not any(field.strip() for field in parsed.fields[width:])
    for place, value in enumerate(parsed.fields[:width]):
        first, *rest = value.split(ended)
        inner = sum(map(is_record, rest[:-1]))
        # The ends of the value complete the record's own first and last line.
        is_complete = bool(rest) and is_record(first, place) and len(fields(rest[-1])) == place + 1
        if is_complete or not is_whole or inner == len(rest) - 1 > _FEW_LINES:
            lines += inner + is_complete
    return lines


def _parse_one(text: str, spec: FileSpec) -> _Parsed:
    """A record that the engine cut out."""
    parsed = list(_parse([_Line(1, text, 0)], spec, None))
    return parsed[0] if len(parsed) == 1 else _Parsed(1, 1, text, [], "not one record", 0)


def _parse(lines: Iterable[_Line], spec: FileSpec, path: Path | None) -> Iterator[_Parsed]:
    """Apply the csv rules (RFC 4180, blanks around a quoted value allowed) to lines.

    Raises:
        DataError: a quote is never closed (where ``path`` is given).
    """
    translate = len(spec.delimiter) > 1 or not spec.delimiter.isascii() or spec.row_end not in (None, "\n", "\r\n")
    delimiter = _DELIMITER if translate else spec.delimiter
    taken: list[_Line] = []
    if not spec.quote:
        for line in lines:
            text = _body(line.text)
            reason = (
                "a carriage return inside a line" if "\r" in text and spec.row_end in (None, "\n", "\r\n") else None
            )
            yield _Parsed(line.number, 1, text, text.split(spec.delimiter) if text else [], reason, line.after)
        return

    blank_after = _blank_after(delimiter, spec.quote)

    def fed() -> Iterator[str]:
        for line in lines:
            taken.append(line)
            if len(taken) > _MOST_LINES and path is not None:
                raise _never_closed(path, taken[0].number)
            text = _translated(line.text, spec) if translate else line.text
            if blank_after(text):
                # The module asks for a second line only where a quote is open.
                text = _unblanked(text, delimiter, spec.quote, is_open=len(taken) > 1)
            yield text

    reader = csv.reader(
        fed(),
        delimiter=delimiter,
        quotechar=spec.quote,
        doublequote=True,
        skipinitialspace=delimiter != " ",
        strict=True,
    )
    while True:
        taken.clear()
        fields: list[str] = []
        reason = None
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            reason = _reason(str(error))
        first = taken[0].number
        text = _body(taken[0].text if len(taken) == 1 else "".join([line.text for line in taken]))
        if reason == _UNCLOSED and path is not None:
            raise _never_closed(path, first)
        if translate:
            fields = [_restored(field, spec) for field in fields]
            if any(inner in text for inner in _INNER):
                reason = "a character that Unicode keeps out of texts"
        yield _Parsed(first, len(taken), text, fields, reason, taken[-1].after)


_UNCLOSED = "a quoted value is never closed"

_MEND_QUOTE = "close the quote or take it out, or set quote: '' if the file does not quote values"


def _blank_after(delimiter: str, quote: str) -> Callable[[str], Any]:
    """Finds a quote and blanks at the end of a value, which may be a closing one."""
    return re.compile(f"{re.escape(quote)}{_blanks(delimiter)}+(?:{re.escape(delimiter)}|[\r\n]|$)").search


def _unblanked(text: str, delimiter: str, quote: str, *, is_open: bool) -> str:
    """Lines without the blanks after closing quotes, which the csv module does not allow.

    Args:
        is_open: Whether the text begins inside quotes.
    """
    sign, end, before = re.escape(quote), re.escape(delimiter), "" if delimiter == " " else " *"
    open_value = f"{before}{sign}(?:[^{sign}]|{sign}{sign})*+"
    # All fields are matched, so that none begins inside another one's quotes.
    fields = f"({open_value}{sign}){_blanks(delimiter)}+(?=[{end}\\r\\n]|$)|{open_value}(?:{sign}[^{end}]*|$)|[^{end}]+"
    text = re.sub(fields, lambda found: found[1] or found[0], f"{quote}{text}" if is_open else text)
    return text.removeprefix(quote) if is_open else text


def _blanks(delimiter: str) -> str:
    return "[" + " \t".replace(delimiter, "") + "]"


def _never_closed(path: Path, line: int) -> DataError:
    return DataError(
        "a quoted value begins here and is never closed",
        where=f"{path}:{line}",
        mend=_MEND_QUOTE,
    )


def _reason(message: str) -> str:
    """The csv module's message in our words."""
    if "end of data" in message:
        return _UNCLOSED
    if "expected after" in message:
        return "text after a closing quote"
    if "new-line" in message:
        return "a carriage return inside a line"
    return "not a record"


def _translated(text: str, spec: FileSpec) -> str:
    body, end = (text[:-1], "\n") if text.endswith("\n") else (text, "")
    if spec.row_end not in (None, "\n", "\r\n"):
        body = body.replace("\n", _NEWLINE).replace("\r", _RETURN)
    return body.replace(spec.delimiter, _DELIMITER) + end


def _restored(field: str, spec: FileSpec) -> str:
    if spec.row_end not in (None, "\n", "\r\n"):
        field = field.replace("\n", str(spec.row_end)).replace(_NEWLINE, "\n").replace(_RETURN, "\r")
    return field.replace(_DELIMITER, spec.delimiter)


def _body(text: str) -> str:
    """A record's text without its row end."""
    return text.removesuffix("\n").removesuffix("\r")


# -- lines and the head ------------------------------------------------------------------------------------------------


def _lines(path: Path, row_end: str | None, start: int = 0, before: int = 0) -> Iterator[_Line]:
    """The pieces of a file between row ends, from a byte and a number of lines on. Without ``row_end``: LF or CRLF."""
    cut = (row_end or "\n").replace("\r\n", "\n").encode() if row_end in (None, "\n", "\r\n") else str(row_end).encode()
    number, position = before, start
    with path.open("rb") as file:
        file.seek(start)
        rest = b""
        while True:
            piece = file.read(_CHUNK)
            *whole, rest = (rest + piece).split(cut) if piece else (rest,)
            for raw in whole:
                number, position = number + 1, position + len(raw) + len(cut)
                yield _Line(number, decoded(raw, path, number) + "\n", position)
            if not piece:
                break
            if len(rest) > LONGEST_LINE:
                raise too_long(path)
        if rest:
            yield _Line(number + 1, decoded(rest, path, number + 1), position + len(rest))


def _head(path: Path, spec: FileSpec) -> _Head:
    """Go past the byte order mark, skipped lines and the header."""
    with path.open("rb") as file:
        start = len(_BOM) if file.read(len(_BOM)) == _BOM else 0
    lines, simple, records = 0, True, 0
    source = _lines(path, spec.row_end, start)
    for line in source:
        if records == spec.skip_rows:
            break
        lines, records, start = lines + 1, records + 1, line.after
        simple = simple and bool(_body(line.text)) and (not spec.quote or spec.quote not in line.text)
    if not spec.header:
        return _Head(columns_of.positional(spec, str(path)), records, lines, start, simple)
    best: tuple[int, list[str], str] = (-1, [], str(path))
    other: DataError | None = None
    # Titles above a header that has to be found may hold a quote that is never closed: they are taken line by line.
    source = _lines(path, spec.row_end, start, lines)
    above = _one_by_one(source, spec) if spec.header == "find" else _parse(source, spec, path)
    for parsed in above:
        lines, records, start = lines + parsed.lines, records + 1, parsed.after
        where = f"{path}:{parsed.first_line}"
        if "\0" in parsed.text:
            raise DataError(
                f"NUL characters in the header: the text is not in {spec.encoding}",
                where=where,
                mend="set encoding in the source profile to what the sender uses, probably utf-16 or utf-32",
            )
        fields = list(parsed.fields)
        while fields and not fields[-1].strip():
            fields.pop()
        if spec.header == "find":
            if parsed.reason is None and columns_of.is_header(fields, spec):
                found = columns_of.resolve(fields, spec, where)
                return _Head(found, records, lines, start, simple and parsed.lines == 1)
            if parsed.reason is not None and columns_of.is_header(_bare(parsed.text, spec), spec):
                # The header all the same: with a repeated one below it, the rows between would pass for free text.
                raise _unreadable_header(parsed.reason, where)
            best = max(best, (columns_of.known(fields, spec), fields, where), key=lambda pair: pair[0])
            other = other or _wrong_delimiter(parsed.text, fields, spec, where)
            simple = simple and bool(parsed.text) and (not spec.quote or spec.quote not in parsed.text)
            if records - spec.skip_rows >= columns_of.FIND_WITHIN:
                break
            continue
        if error := _wrong_delimiter(parsed.text, fields, spec, where):
            raise error
        if parsed.reason is not None:
            raise _unreadable_header(parsed.reason, where)
        if not fields:
            simple = False
            continue
        return _Head(columns_of.resolve(fields, spec, where), records, lines, start, simple and parsed.lines == 1)
    if spec.header == "find":
        raise other or columns_of.not_found(spec, best[1], best[2])
    raise DataError(
        "the file has no header and no records", where=str(path), mend="ask the sender for the file with its content"
    )


def _unreadable_header(reason: str, where: str) -> DataError:
    return DataError(
        f"the header cannot be read: {reason}",
        where=where,
        mend="check delimiter, quote and skip_rows in the source profile",
    )


def _bare(text: str, spec: FileSpec) -> list[str]:
    """The fields of a record that cannot be read, as far as its signs go."""
    plain = text.replace("\r", "").replace("\n", "")
    return (plain.replace(spec.quote, "") if spec.quote else plain).split(spec.delimiter)


def _wrong_delimiter(text: str, fields: list[str], spec: FileSpec, where: str) -> DataError | None:
    """The error for a header that shows its columns when it is split by another delimiter than the profile says.

    Free text above a header that has to be found may hold a column's name: there all required ones are asked for.
    """
    if columns_of.is_header(fields, spec):
        return None
    for sign, name in _DELIMITERS.items():
        found = [field.strip() for field in _parse_one(text, spec.model_copy(update={"delimiter": sign})).fields]
        if columns_of.is_header(found, spec) or (
            spec.header != "find" and columns_of.known(found, spec) > columns_of.known(fields, spec)
        ):
            said = _DELIMITERS.get(spec.delimiter, repr(spec.delimiter))
            return DataError(
                f"the source profile says that {said} stands between values, in the header it is {name}; "
                f"the columns are: {columns_of.shown(found)}",
                where=where,
                mend=f'set delimiter: "{sign}" in the source profile'.replace("\t", "\\t"),
            )
    return None


def _one_by_one(lines: Iterator[_Line], spec: FileSpec) -> Iterator[_Parsed]:
    """The first records of a file that begins with free text: a line that is no record is taken as it stands."""
    rest = list(islice(lines, 2 * columns_of.FIND_WITHIN))
    while rest:
        parsed = next(_parse(rest, spec, None))
        if parsed.reason is not None:
            parsed = _Parsed(rest[0].number, 1, _body(rest[0].text), [], parsed.reason, rest[0].after)
        yield parsed
        rest = rest[parsed.lines :]


def _has_only_returns(path: Path) -> bool:
    """Whether lines end as on old Macs: with a carriage return, nowhere with a newline."""
    returns = False
    with path.open("rb") as file:
        while piece := file.read(_CHUNK):
            if b"\n" in piece:
                return False
            returns = returns or b"\r" in piece
    return returns
