"""What payroll is given of a closed period: payouts as text or workbook, one currency a row, with control totals."""

from __future__ import annotations

import csv
import datetime as dt
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from dealermart import frozen
from dealermart.base import TEXT_STAYS_TEXT, DataError, Settings, UsageError, connect, inert, literal, sync
from dealermart.frozen import Frozen

# The columns of payroll files. Others are added at the end alone: what reads these files counts on their places.
COLUMNS = (
    "period_id", "period_start", "period_end", "payee_type", "payee_id", "currency_code", "amount", "statement_count",
    "held_line_count",
)  # fmt: skip
TOTALS = ("closing", "closing_hash", "period_id", "currency_code", "row_count", "amount")
FORMATS = ("csv", "xlsx")

_PAYOUT = "mart_incentive__payout"
_SHEET_ROWS = 1_048_576
_EXACT = Decimal(10) ** 13  # a spreadsheet program keeps fifteen digits

Rows = list[tuple[Any, ...]]


@dataclass(frozen=True)
class Payroll:
    """Files that were written, and the control totals: rows and amount by currency."""

    files: tuple[Path, ...]
    totals: dict[str, tuple[int, Decimal]]


def payroll(settings: Settings, period_id: str, out: Path, kind_of_file: str = "csv") -> Payroll:
    """Write the payouts of a closed period into the folder ``out``, as ``payroll-<period>``.

    As text the control totals are a second file, ``...-totals.csv``; in a workbook a second sheet.

    Raises:
        UsageError: the period is not closed. DataError: what was closed was changed, or does not fit into a sheet.
    """
    closed = [folder for folder in frozen.chain(settings, "pay") if folder.period_id == period_id]
    if not closed:
        known = ", ".join(folder.period_id for folder in frozen.chain(settings, "pay")) or "none so far"
        raise UsageError(
            f"{period_id} is not closed, and only what is closed is paid",
            mend=f"close it by `dealermart close --kind pay --period {period_id}`; closed are: {known}",
        )
    folder = closed[-1]
    rows = _rows(settings, folder)
    totals: dict[str, tuple[int, Decimal]] = {}
    for row in rows:
        currency, amount = row[COLUMNS.index("currency_code")], row[COLUMNS.index("amount")]
        count, total = totals.get(currency, (0, Decimal(0)))
        totals[currency] = count + 1, total + amount
    control: Rows = [(folder.name, folder.hash, period_id, name, *total) for name, total in sorted(totals.items())]
    out.mkdir(parents=True, exist_ok=True)
    name = f"payroll-{period_id}"
    if kind_of_file == "xlsx":
        files = [_whole(out / f"{name}.xlsx", lambda path: _workbook(path, rows, control))]
    else:
        files = [
            _whole(out / f"{name}.csv", lambda path: _text(path, COLUMNS, rows)),
            _whole(out / f"{name}-totals.csv", lambda path: _text(path, TOTALS, control)),
        ]
    sync(out)
    return Payroll(tuple(files), totals)


def _rows(settings: Settings, folder: Frozen) -> Rows:
    with connect(settings) as con:
        return con.execute(f"""
            select {", ".join(COLUMNS)} from read_parquet({literal(str(folder.tables[_PAYOUT]))})
            order by payee_type, payee_id, currency_code
        """).fetchall()


def _whole(path: Path, write: Callable[[Path], None]) -> Path:
    """Write a file aside and show it by one rename."""
    draft = path.with_name(f".{uuid.uuid4().hex}{path.suffix}")
    try:
        write(draft)
        sync(draft)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    return path


def _text(path: Path, header: Sequence[str], rows: Rows) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(
            [inert(cell, is_code=True) if isinstance(cell, str) else str(cell) for cell in row] for row in rows
        )


def _workbook(path: Path, rows: Rows, control: Rows) -> None:
    import xlsxwriter

    amounts = [abs(cell) for row in (*rows, *control) for cell in row if isinstance(cell, Decimal)]
    if len(rows) >= _SHEET_ROWS or max(amounts, default=Decimal(0)) >= _EXACT:
        raise DataError(
            f"{len(rows):,} rows, or an amount of more than fifteen digits, do not fit into a sheet",
            where=str(path.parent),
            mend="write them as csv",
        )
    with xlsxwriter.Workbook(path, {**TEXT_STAYS_TEXT, "in_memory": True}) as book:
        bold = book.add_format({"bold": True})
        money, day = book.add_format({"num_format": "0.00"}), book.add_format({"num_format": "yyyy-mm-dd"})
        for name, header, lines in (("payroll", COLUMNS, rows), ("totals", TOTALS, control)):
            sheet = book.add_worksheet(name)
            sheet.set_column(0, len(header) - 1, 18)
            for column, title in enumerate(header):
                sheet.write_string(0, column, title, bold)
            for number, line in enumerate(lines, start=1):
                for column, cell in enumerate(line):
                    if isinstance(cell, str):
                        sheet.write_string(number, column, cell)
                    elif isinstance(cell, dt.date):
                        sheet.write_datetime(number, column, cell, day)
                    elif isinstance(cell, Decimal):
                        sheet.write_number(number, column, float(cell), money)
                    elif cell is not None:
                        sheet.write_number(number, column, cell)
            sheet.freeze_panes(1, 0)
