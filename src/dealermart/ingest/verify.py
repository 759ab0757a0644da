"""Nothing is lost, checked from outside: what was read of a delivery beside what a second reader sees in its files."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

import duckdb

from dealermart import readers
from dealermart.base import DataError, quoted
from dealermart.config import FileSpec
from dealermart.lake import FileResult
from dealermart.landing import Delivery
from dealermart.readers import Counts

_MOST_SHOWN = 20  # of a file

_ROWS = 1_000

_SHORT = 40

# Said by no sign that is seen: the first reader takes such characters out, here they count on neither side.
_UNSEEN = re.compile("[\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")

# Columns of codes, in which the first reader writes full-width signs of ASCII as ASCII.
_CODE = re.compile("(.*_)?(id|code|no)", re.IGNORECASE)

_TO_ASCII = {sign: sign - 0xFEE0 for sign in range(0xFF01, 0xFF5F)} | {0x3000: " "}

_QUOTED_FORMULA = re.compile('="(.*)"', re.DOTALL)  # a text that a program wrote so that Excel leaves it alone

_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")  # a control character in a workbook's text

# What openpyxl makes of a number in a cell that is formatted as a day and is none; rows with real errors are rejected.
_NO_DAY, _LAST_DAY = "#VALUE!", 2_958_465

_CLOCK = dt.timedelta(milliseconds=1)  # a workbook's moments are fractions of a day, which libraries round differently

_DURATION = re.compile(r"(-?)(\d+):(\d\d):(\d\d)")


@dataclass(frozen=True)
class Difference:
    """What two readers do not agree on. ``column`` is empty where it is the record as a whole; the texts are short and
    those of the data, so they belong on the user's own screen and into no log."""

    number: int
    column: str
    first: str
    second: str


@dataclass
class Verified:
    """A file read twice.

    Attributes:
        records: What the second reader counted.
        count: How many differences there are; ``shown`` has the first of them.
        why: Why the file was not compared, or nothing.
    """

    file: str
    records: int = 0
    count: int = 0
    shown: list[Difference] = field(default_factory=list)
    why: str = ""
    is_fault: bool = False

    def add(self, number: int, first: str, second: str, column: str = "") -> None:
        self.count += 1
        self.is_fault = True
        if len(self.shown) < _MOST_SHOWN:
            self.shown.append(Difference(number, column, first, second))


class Verifier:
    """Reads what a dry run reads with a second reader, and compares records and cells (``ingest.run(dry_run=...)``)."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str | None], tuple[Verified, int]] = {}

    def read(
        self, con: duckdb.DuckDBPyConnection, spec: FileSpec, delivery: Delivery, table: str, counts: Counts
    ) -> None:
        """See a file's rows in ``table`` and ``<table>__rejects``, before anything is mapped."""
        found, entry = Verified(delivery.label), spec.entry_of(delivery.source_file)
        self._found[delivery.delivery_id, entry] = found, spec.unpivot
        if delivery.erased:
            found.why = "values of a person were erased from it"
            return
        how = spec.as_delivered(delivery.source_file)
        try:
            _compare(con, how, delivery, table, counts, found)
        except readers.Lost as error:
            found.why, found.is_fault = str(error), True

    def finish(self, results: Sequence[FileResult]) -> list[Verified]:
        """All files of a run: those that were compared, also with the ledger it came to, and the others with why."""
        verified = []
        for result in results:
            found, unpivot = self._found.get((result.delivery_id, result.entry), (None, 1))
            if found is None or result.status == "duplicate":
                verified.append(Verified(result.file, why=f"{result.status}, so not read"))
                continue
            # The run's balance holds: records = mapped + structural + rejected.
            if not found.why and result.records != found.records * unpivot:
                found.add(0, f"{result.records} rows in the ledger", f"{found.records * unpivot} rows")
            verified.append(found)
        return verified


def raise_for_differences(verified: Sequence[Verified]) -> None:
    """Raise DataError that names the files on which two readers do not agree; it carries no values."""
    faults = [found for found in verified if found.is_fault]
    if faults:
        listed = "\n".join(f"- {found.file}: {found.why or f'{found.count:,} differences'}" for found in faults)
        raise DataError(
            f"two readers do not agree on {len(faults)} of {len(verified)} files:\n{listed}",
            mend="look at these rows in the file; correct delimiter, quote, encoding or sheet in the source profile, "
            "or report it as a fault of the program with a file that shows it",
        )


def _compare(
    con: duckdb.DuckDBPyConnection, spec: FileSpec, delivery: Delivery, table: str, counts: Counts, found: Verified
) -> None:
    """Go through both readings side by side: they have the order of the file and its numbers in common."""
    rejected = {
        number
        for (number,) in con.execute(
            f"select _row_number from {quoted(f'{table}__rejects')} where _delivery_id = ?", [delivery.delivery_id]
        ).fetchall()
    }
    cursor = con.execute(
        f"select * from {quoted(table)} where _delivery_id = ? order by _row_number", [delivery.delivery_id]
    )
    names = [name for name, *_ in cursor.description or ()]
    rows = _rows(cursor, names.index("_row_number"))
    held = [name for name in names if name not in ("_row_number", "_delivery_id")]
    match = _Match(spec, held)
    number, row = next(rows, (0, ()))
    taken = 0
    for seen in readers.second_reading(delivery.payload, spec, counts.encoding):
        found.records += 1
        while number and number < seen.number:
            found.add(number, "a row", "no record")
            number, row = next(rows, (0, ()))
        if number == seen.number:
            taken += 1
            _compare_cells(dict(zip(names, row, strict=True)), seen, match, found)
            number, row = next(rows, (0, ()))
        elif seen.number in rejected:
            rejected.discard(seen.number)
            taken += 1
        elif not match.is_structural(seen):
            found.add(seen.number, "nothing", "a record")
    while number:
        found.add(number, "a row", "no record")
        number, row = next(rows, (0, ()))
    for number in sorted(rejected):
        found.add(number, "a record, rejected", "no record")
    if (first := counts.records) != found.records:
        found.add(0, f"{first:,} records", f"{found.records:,} records")


def _rows(cursor: duckdb.DuckDBPyConnection, place: int) -> Iterator[tuple[int, Sequence[Any]]]:
    while rows := cursor.fetchmany(_ROWS):
        for row in rows:
            yield row[place], row


def _compare_cells(row: dict[str, Any], seen: readers.Seen, match: _Match, found: Verified) -> None:
    left = {name for name in match.held if row[name] is not None}
    cells = seen.cells or ()
    for name, (text, value) in zip(match.columns(tuple(text for text, _ in cells)), cells, strict=True):
        first = row[name] if name else None
        left.discard(name or "")
        if name and isinstance(value, str) and (_CODE.fullmatch(name) or name in match.spec.key):
            value = value.translate(_TO_ASCII)
        if not agree(first, value, match.spec.missing):
            found.add(seen.number, _short(first), _short(value), name or text or "beyond the last column")
    for name in sorted(left):
        found.add(seen.number, _short(row[name]), _short(None), name)


class _Match:
    """Which column of the table is which of the file, and which records are none: by the words of the profile."""

    def __init__(self, spec: FileSpec, held: Sequence[str]) -> None:
        self.spec, self.held = spec, held
        self._known = {
            readers.header_key(text): name
            for name in reversed(tuple(dict.fromkeys((*spec.columns, *spec.aliases, *spec.required_columns))))
            for text in (name, *spec.aliases.get(name, ()))
        }
        self._by_key: dict[str, list[str]] = {}
        for name in held:
            self._by_key.setdefault(readers.header_key(name), []).append(name)
        self._totals = {_bare_label(value) for value in (spec.totals.values if spec.totals else ())}
        self._columns: dict[tuple[str | None, ...], list[str | None]] = {}

    def columns(self, texts: tuple[str | None, ...]) -> list[str | None]:
        """The column of each of a header's texts; None where there is none."""
        if texts not in self._columns:
            names: list[str | None] = []
            for text in texts:
                names.append(self._column(text, names))
            self._columns[texts] = names
        return self._columns[texts]

    def _column(self, text: str | None, told: Sequence[str | None]) -> str | None:
        """Of texts that stand more than once, the next column; one without a text is called by its place."""
        if text is None:
            return None
        if name := self._known.get(readers.header_key(text)):
            return name if name not in told else None
        own = text.strip() or f"column_{len(told) + 1}"
        numbered = [name for name in self.held if re.fullmatch(f"(?i:{re.escape(own)})(_[0-9]+)?", name)]
        near = [name for name in (own, *self._by_key.get(readers.header_key(own), ()), *numbered) if name in self.held]
        return next((name for name in near if name not in told), None)

    def is_structural(self, seen: readers.Seen) -> bool:
        """Whether a record is blank, the header again or a totals row."""
        if seen.cells is None:
            return False
        cells = [(text, value) for text, value in seen.cells if _text(value) not in ("", *self.spec.missing)]
        if not cells:
            return True
        totals = self._name(self.spec.totals.column) if self.spec.totals else None
        if any(self._name(text) == totals and _bare_label(_text(value)) in self._totals for text, value in cells):
            return True
        return all(self._name(text) == self._name(_text(value)) for text, value in cells)

    def _name(self, text: str | None) -> str | None:
        if text is None:
            return None
        key = readers.header_key(text)
        return self._known.get(key, key)


def agree(first: str | None, second: Any, missing: Sequence[str] = ("",)) -> bool:
    """Whether the text that the first reader gives of a cell says what the second one sees.

    Texts are the same trimmed, those that mean missing are none; numbers are compared by value, however they are
    written, days and times as such. Characters that nobody sees count on neither side.
    """
    if isinstance(second, str):
        if _agree_texts(first, second, missing):
            return True
        if quoted_formula := _QUOTED_FORMULA.fullmatch(second.strip()):
            return _agree_texts(first, quoted_formula[1], missing)
        if second == _NO_DAY:
            return first is not None and _is_no_day(first)
        return _ESCAPED.search(second) is not None and _agree_texts(_unescaped(first), _unescaped(second), missing)
    if second is None:
        return first is None
    if first is None:
        return _text(second) in missing
    try:
        return _agree_values(first, second)
    except (ValueError, InvalidOperation, OverflowError):
        return _is_code_of(first, second)


def _is_code_of(first: str, number: Any) -> bool:
    """Whether a text is a whole number with what a workbook's format shows around its digits, such as D-0012."""
    if isinstance(number, bool) or not isinstance(number, (int, float)) or number < 0 or number != number // 1:
        return False
    return re.search("[.,]", first) is None and re.sub("[^0-9]", "", first).lstrip("0") == str(int(number)).lstrip("0")


def _unescaped(text: str | None) -> str:
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text or "")


def _is_no_day(text: str) -> bool:
    """Whether a number lies outside of the calendar that Excel has."""
    try:
        return not 0 <= Decimal(text) <= _LAST_DAY
    except InvalidOperation:
        return False


def _agree_texts(first: str | None, text: str, missing: Sequence[str]) -> bool:
    bare = _UNSEEN.sub("", text).strip()
    if first is None:
        return not bare or bare in missing
    return _UNSEEN.sub("", first).strip() == bare


def _agree_values(first: str, second: Any) -> bool:
    if isinstance(second, bool):
        return first.lower() == str(second).lower()
    if isinstance(second, float) and first.endswith(".0"):  # 12.0 is another dealer than 12
        return False
    if isinstance(second, float):  # a workbook's text has the 15 digits that Excel shows, a Parquet file's all of them
        return float(first) == second or Decimal(first) == Decimal(format(second, ".15g")) or first == str(second)
    if isinstance(second, (int, Decimal)):
        return Decimal(first) == second
    if isinstance(second, dt.datetime):
        moment = dt.datetime.fromisoformat(first)
        if (moment.tzinfo is None) != (second.tzinfo is None):
            return False
        return abs(moment - second) <= _CLOCK
    if isinstance(second, dt.date):
        return dt.datetime.fromisoformat(first) == dt.datetime.combine(second, dt.time())
    if isinstance(second, dt.time):
        return abs(_since_midnight(dt.time.fromisoformat(first)) - _since_midnight(second)) <= _CLOCK
    if isinstance(second, dt.timedelta):
        if not (parts := _DURATION.fullmatch(first)):
            return False
        span = dt.timedelta(hours=int(parts[2]), minutes=int(parts[3]), seconds=int(parts[4]))
        return abs((-span if parts[1] else span) - second) <= dt.timedelta(seconds=1)
    if isinstance(second, bytes):
        try:
            return first == second.decode().strip()
        except UnicodeDecodeError:
            return first == second.hex().upper()
    if isinstance(second, (list, dict)):
        return _plain(json.loads(first, parse_int=Decimal, parse_float=Decimal)) == _plain(second)
    return first == str(second)


def _since_midnight(time: dt.time) -> dt.timedelta:
    return dt.timedelta(hours=time.hour, minutes=time.minute, seconds=time.second, microseconds=time.microsecond)


def _plain(value: Any) -> Any:
    """Nested values as they can be compared: objects as dicts, numbers as decimals, all else as text."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list) and value and all(isinstance(inner, tuple) for inner in value):
        return {str(key): _plain(inner) for key, inner in value}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
        return Decimal(str(value))
    return value if value is None or isinstance(value, bool) else str(value)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return _UNSEEN.sub("", str(value)).strip()


def _bare_label(text: str) -> str:
    return re.sub(r"[\s:：]", "", text).lower()


def _short(value: Any) -> str:
    if value is None:
        return "nothing"
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= _SHORT else f"{text[:_SHORT]}... ({len(text):,} characters)"
