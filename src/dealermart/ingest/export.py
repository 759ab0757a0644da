"""Rows of the quarantine as a workbook or a text file, to be corrected and delivered again."""

from __future__ import annotations

import csv
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from dealermart.base import TEXT_STAYS_TEXT, DataError, Settings, inert
from dealermart.config import CORRECTED, FileSpec, load_contracts, load_profile
from dealermart.ingest.choice import UNSETTLED, Choice, opened

# Columns that an export adds to those of the file. No profile names them, so an ingest leaves them alone.
MARK = "dealermart:"

ADDED = (f"{MARK}rule", f"{MARK}reason", f"{MARK}file", f"{MARK}row")

_SHEET_ROWS, _CELL_SIGNS = 1_048_576, 32_767


@dataclass(frozen=True)
class Exported:
    """What was exported, and the folder of a drop in which it comes back."""

    records: int
    unreadable: int
    columns: tuple[str, ...]
    back: str


def export(settings: Settings, choice: Choice, out: Path) -> Exported:
    """Write rows under the header names of their file, with what is wrong with them, as .xlsx or .csv.

    Rows that could not be read are left out: they have no columns. Without a state in ``choice`` those that are
    settled are left out too.

    Raises:
        DataError: nothing is chosen, rows of several entries are, or the name of ``out`` has another ending.
    """
    if out.suffix.lower() not in (".xlsx", ".csv"):
        raise DataError(
            "the file to write has no known ending", where=str(out), mend="name it .xlsx (for Excel) or .csv"
        )
    with opened(settings, choice) as con:
        wanted = "true" if choice.state else f"state in {UNSETTLED}"
        unreadable = con.execute(f"select count(*) from chosen where {wanted} and stage = 'read'").fetchall()[0][0]
        con.execute(f"delete from chosen where not ({wanted}) or stage = 'read'")
        source, spec = _entry(settings, con, choice)
        records = con.execute("""
            select source_file, row_number, any_value("row"), string_agg(distinct rules, ', '),
                string_agg(distinct reasons, '; ')
            from chosen group by received, delivery_id, source_file, row_number
            order by received, source_file, row_number
        """).fetchall()
    raw = [json.loads(record) for _, _, record, _, _ in records]
    names = [name for name in dict.fromkeys(name for record in raw for name in record) if _is_delivered(name)]
    header = [spec.aliases[name][0] if spec.aliases.get(name) else name for name in names]
    lines = [
        [*(record[name] if record.get(name) is not None else "" for name in names), rules, reasons, file, str(number)]
        for record, (file, number, _, rules, reasons) in zip(raw, records, strict=True)
    ]
    out.parent.mkdir(parents=True, exist_ok=True)
    draft = out.with_name(f".{uuid.uuid4().hex}{out.suffix}")
    try:
        write = _write_xlsx if out.suffix.lower() == ".xlsx" else _write_csv
        write(draft, [*header, *ADDED], lines, out)
        draft.replace(out)
    finally:
        draft.unlink(missing_ok=True)
    return Exported(len(records), unreadable, tuple(header), f"inbox/{source}/<received date>/{CORRECTED}/{spec.name}/")


def _entry(settings: Settings, con: duckdb.DuckDBPyConnection, choice: Choice) -> tuple[str, FileSpec]:
    """Source and profile entry of the chosen rows."""
    known = load_contracts(settings)
    found: dict[tuple[str, str], FileSpec] = {}
    for source, file, label in con.execute(
        "select distinct source, source_file, feed from chosen order by all"
    ).fetchall():
        spec = load_profile(settings, source, known).spec_for(file, label)
        if spec is None:
            raise DataError(
                "no entry of the source's profile takes this file any more",
                where=f"{source}: {file}",
                mend="bring the entry back, or leave the file out by --file",
            )
        found[source, spec.name] = spec
    if not found:
        raise DataError(
            "there are no such rows to correct",
            where=str(choice),
            mend="`dealermart quarantine list` shows what there is",
        )
    if len(found) > 1:
        kinds = ", ".join(f"{name} of {source}" for source, name in found)
        raise DataError(
            f"rows of {len(found)} kinds of file are chosen: {kinds}",
            where=str(choice),
            mend="choose one by --entry (and --source): each kind has columns of its own",
        )
    ((source, _), spec) = next(iter(found.items()))
    return source, spec


def _is_delivered(name: str) -> bool:
    return name not in ("_delivery_id", "_row_number") and not name.lower().startswith(MARK)


def _write_xlsx(path: Path, header: Sequence[str], lines: Sequence[Sequence[str]], out: Path) -> None:
    import xlsxwriter

    longest = max((len(cell) for line in lines for cell in line), default=0)
    if len(lines) >= _SHEET_ROWS or longest > _CELL_SIGNS:
        raise DataError(
            f"{len(lines)} rows with up to {longest} characters in a cell do not fit into a sheet",
            where=str(out),
            mend="export to .csv, or fewer rows by --file or --rule",
        )
    with xlsxwriter.Workbook(path, TEXT_STAYS_TEXT) as book:
        sheet = book.add_worksheet("quarantine")
        text, bold = book.add_format({"num_format": "@"}), book.add_format({"bold": True, "num_format": "@"})
        # Text throughout, typed cells as well: Excel must not make dates of codes or drop leading zeros.
        sheet.set_column(0, len(header) - 1, 18, text)
        for index, line in enumerate((header, *lines)):
            for column, cell in enumerate(line):
                if cell:
                    sheet.write_string(index, column, cell, text if index else bold)
        sheet.freeze_panes(1, 0)
        sheet.autofilter(0, 0, len(lines), len(header) - 1)


def _write_csv(path: Path, header: Sequence[str], lines: Sequence[Sequence[str]], out: Path) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows([inert(cell) for cell in line] for line in lines)
