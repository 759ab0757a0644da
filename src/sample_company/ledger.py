"""Writing the sample's files, and keeping the ledger of what must become of every record written.

The ledger is kept as the records are written, from what the generator meant each record to be. It reads nothing back.
"""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import xlsxwriter
from pyarrow import parquet

Outcome = Literal["accepted", "duplicate", "quarantined", "rejected", "structural"]
CREATED = datetime(2026, 6, 30, 8, 0, 0)


@dataclass(frozen=True)
class Fate:
    """What must become of a record: `why` is the rule or reason; `kind` names the planted error, if it is one."""

    outcome: Outcome
    why: str | None = None
    kind: str | None = None
    while_reading: bool = False  # refused by the reader, before any mapping
    waits: bool = False  # held back until what it waits for comes with a later delivery


ACCEPTED = Fate("accepted")
REPEAT = Fate("duplicate", kind="repeated row")
BLANK = Fate("structural", "blank", "blank row")
HEADER_AGAIN = Fate("structural", "header", "repeated header")
TOTALS = Fate("structural", "totals", "totals row")


def rejected(column: str, kind_of_value: str, kind: str) -> Fate:
    """A text that the column's type cannot hold."""
    article = "an" if kind_of_value == "integer" else "a"
    return Fate("rejected", f"{column} is not {article} {kind_of_value}", kind)


def quarantined(rule: str, kind: str) -> Fate:
    """A row that fails a rule of the feed's suite."""
    return Fate("quarantined", rule, kind)


def waiting(rule: str, kind: str) -> Fate:
    """A row that names what a later delivery brings: held back at first, then taken up."""
    return Fate("quarantined", rule, kind, waits=True)


def bad_date(column: str, kind_of_value: str = "date") -> Fate:
    """A text that is no date, or no moment."""
    return rejected(column, kind_of_value, "bad date")


def bad_number(column: str, kind_of_value: str = "decimal") -> Fate:
    """A text that is no number."""
    return rejected(column, kind_of_value, "bad number")


def missing(rule: str) -> Fate:
    """A row without a value that it needs."""
    return quarantined(rule, "missing required value")


def missing_key(rule: str) -> Fate:
    """A row without its key."""
    return quarantined(rule, "missing key")


def out_of_range(rule: str) -> Fate:
    """A value that cannot be, alone or beside another one."""
    return quarantined(rule, "value out of range")


def unknown_word(rule: str) -> Fate:
    """A word that the feed does not know."""
    return quarantined(rule, "unknown enumeration")


@dataclass
class FileTruth:
    """What must come out for one file. Counts are rows after unpivoting (`records` too: n per raw row)."""

    received: str
    file: str
    name: str
    feed: str | None
    status: str = "accepted"
    unpivot: int = 1
    counts: Counter[str] = field(default_factory=Counter)
    by_rule: Counter[str] = field(default_factory=Counter)
    by_reason: Counter[str] = field(default_factory=Counter)
    planted: list[dict[str, Any]] = field(default_factory=list)
    note: str | None = None

    def add(self, row_number: int, fates: Sequence[Fate]) -> None:
        """Note a raw row that becomes the given rows (one fate each)."""
        for part, fate in enumerate(fates, start=1):
            self.counts[fate.outcome] += 1
            self.counts["taken_up"] += fate.waits
            if fate.outcome == "quarantined":
                self.by_rule[str(fate.why)] += 1
            if fate.outcome == "rejected":
                self.by_reason["" if fate.while_reading else str(fate.why)] += 1
            if fate.kind is not None and fate.outcome != "duplicate":
                self.planted.append(
                    {
                        "row_number": row_number,
                        "row_part": part,
                        "kind": fate.kind,
                        "outcome": fate.outcome,
                        "why": fate.why,
                    }
                )

    def as_json(self) -> dict[str, Any]:
        counts = self.counts
        mapped = counts["accepted"] + counts["quarantined"] + counts["duplicate"]
        return {
            "received": self.received,
            "file": self.file,
            "entry": self.name,
            "feed": self.feed,
            "status": self.status,
            "records": mapped + counts["structural"] + counts["rejected"],
            "structural": counts["structural"],
            "rejected": counts["rejected"],
            "mapped": mapped,
            "accepted": counts["accepted"],
            "quarantined": counts["quarantined"],
            "duplicate": counts["duplicate"],
            "taken_up": counts["taken_up"],
            "quarantined_by_rule": dict(sorted(self.by_rule.items())),
            "rejected_by_reason": dict(sorted((k, v) for k, v in self.by_reason.items() if k)),
            "rejected_while_reading": self.by_reason[""],
            "planted": self.planted,
            "note": self.note,
        }


class Ledger:
    """All files of the sample, in the order written."""

    def __init__(self, out: Path) -> None:
        self.out = out
        self.files: list[FileTruth] = []

    def open(self, received: date, file: str, name: str, feed: str | None, unpivot: int = 1) -> tuple[Path, FileTruth]:
        truth = FileTruth(received.isoformat(), file, name, feed, unpivot=unpivot)
        self.files.append(truth)
        path = self.out / truth.received / file
        path.parent.mkdir(parents=True, exist_ok=True)
        return path, truth

    def copy(self, received: date, file: str, original: FileTruth) -> None:
        """Deliver a file again, byte for byte, under another name: nothing may come of it."""
        source = self.out / original.received / original.file
        path, truth = self.open(received, file, original.name, original.feed)
        path.write_bytes(source.read_bytes())
        truth.status = "duplicate"
        truth.note = f"the same bytes as {original.received}/{original.file}"


@dataclass(frozen=True)
class Dialect:
    """How a delimited text file is written."""

    encoding: str = "utf-8"
    delimiter: str = ","
    line_end: str = "\r\n"


class CsvFile:
    """A delimited text file; use as a context manager. Row 1 is the header line."""

    def __init__(
        self,
        ledger: Ledger,
        received: date,
        file: str,
        name: str,
        feed: str | None,
        header: Sequence[str],
        dialect: Dialect = Dialect(),
    ) -> None:
        path, self.truth = ledger.open(received, file, name, feed)
        self._stream = path.open("w", encoding=dialect.encoding, newline="")
        self._writer = csv.writer(self._stream, delimiter=dialect.delimiter, lineterminator=dialect.line_end)
        self._line_end = dialect.line_end
        self.header = list(header)
        self._row = 0
        self._write(self.header)

    def _write(self, values: Iterable[str]) -> None:
        self._row += 1
        self._writer.writerow(values)

    def row(self, values: Sequence[str], fate: Fate = ACCEPTED) -> None:
        self._write(values)
        if fate is ACCEPTED:
            self.truth.counts["accepted"] += 1
        else:
            self.truth.add(self._row, [fate])

    def header_again(self) -> None:
        self.row(self.header, HEADER_AGAIN)

    def blank(self, bare: bool) -> None:
        """A blank row: an empty line, or only delimiters, as a spreadsheet program leaves them."""
        if bare:
            self._row += 1
            self._stream.write(self._line_end)
            self.truth.add(self._row, [BLANK])
        else:
            self.row([""] * len(self.header), BLANK)

    def __enter__(self) -> CsvFile:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()


Cell = str | int | float | date | None


@dataclass(frozen=True)
class Sheet:
    """The sheet of a workbook: its header, title lines above it, and rows of a feed that each of its rows becomes."""

    name: str
    header: Sequence[str]
    above: Sequence[str] = ()
    unpivot: int = 1


def write_xlsx(
    ledger: Ledger,
    received: date,
    file: str,
    name: str,
    feed: str | None,
    sheet: Sheet,
    rows: Iterable[tuple[Sequence[Cell], Sequence[Fate]]],
) -> FileTruth:
    """A workbook of one sheet with real date and number cells."""
    path, truth = ledger.open(received, file, name, feed, sheet.unpivot)
    book = xlsxwriter.Workbook(
        path, {"strings_to_formulas": False, "strings_to_urls": False, "default_date_format": "yyyy-mm-dd"}
    )
    book.set_properties({"title": sheet.name, "created": CREATED})
    page = book.add_worksheet(sheet.name)
    line = 0
    for text in sheet.above:
        page.write_string(line, 0, text)
        line += 1
    page.write_row(line, 0, sheet.header)
    first = line
    for cells, fates in rows:
        line += 1
        for column, cell in enumerate(cells):
            if isinstance(cell, str):
                page.write_string(line, column, cell)
            elif isinstance(cell, date):
                page.write_datetime(line, column, datetime(cell.year, cell.month, cell.day))
            elif cell is not None:
                page.write_number(line, column, cell)
        truth.add(line - first + 1 + len(sheet.above), list(fates) * sheet.unpivot if len(fates) == 1 else fates)
    book.close()
    return truth


def write_csv(
    ledger: Ledger,
    received: date,
    file: str,
    name: str,
    feed: str,
    header: Sequence[str],
    rows: Iterable[tuple[Sequence[str], Fate]],
    **dialect: str,
) -> None:
    """A delimited text file whose rows are known at once; see `CsvFile` for the dialect. Without rows none is sent."""
    rows = list(rows)
    if not rows:
        return
    with CsvFile(ledger, received, file, name, feed, header, Dialect(**dialect)) as out:
        for cells, fate in rows:
            out.row(cells, fate)


def write_parquet(
    ledger: Ledger,
    received: date,
    file: str,
    name: str,
    feed: str,
    shape: dict[str, pa.DataType],
    rows: Iterable[tuple[Sequence[object], Fate]],
) -> FileTruth:
    """A Parquet file of typed columns."""
    path, truth = ledger.open(received, file, name, feed)
    records = []
    for number, (record, fate) in enumerate(rows, start=1):
        records.append(dict(zip(shape, record, strict=True)))
        truth.add(number, [fate])
    parquet.write_table(pa.Table.from_pylist(records, pa.schema(list(shape.items()))), path)
    return truth


def _exported(received: date, records: list[dict[str, Any]]) -> dict[str, Any]:
    """As survey tools export: the records under `data.items`."""
    return {"exported_at": f"{received.isoformat()}T02:00:00Z", "data": {"count": len(records), "items": records}}


def write_json(
    ledger: Ledger,
    received: date,
    file: str,
    name: str,
    feed: str,
    rows: Iterable[tuple[dict[str, Any], Fate]],
    document: Callable[[date, list[dict[str, Any]]], dict[str, Any]] = _exported,
) -> None:
    """A JSON document; `document` says where in it the records stand. Without records no file is sent."""
    rows = list(rows)
    if not rows:
        return
    path, truth = ledger.open(received, file, name, feed)
    records = []
    for number, (record, fate) in enumerate(rows, start=1):
        records.append(record)
        truth.add(number, [fate])
    path.write_text(json.dumps(document(received, records), ensure_ascii=False, indent=1) + "\n", "utf-8")


def write_jsonl(
    ledger: Ledger, received: date, file: str, name: str, feed: str, rows: Iterable[tuple[dict[str, Any] | str, Fate]]
) -> None:
    """One JSON object a line; a text stands as it is (a line that was cut off). Without records no file is sent."""
    rows = list(rows)
    if not rows:
        return
    path, truth = ledger.open(received, file, name, feed)
    with io.TextIOWrapper(path.open("wb"), "utf-8", newline="") as stream:
        for number, (record, fate) in enumerate(rows, start=1):
            stream.write((record if isinstance(record, str) else json.dumps(record, ensure_ascii=False)) + "\n")
            truth.add(number, [fate])
