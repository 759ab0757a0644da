"""Cells of a sheet as the texts that a person would write; and old workbooks (xls), read by a process of their own.

The library that reads xls allocates what the file says. Of a damaged file that can be petabytes; then it raises nothing
but aborts, and all else that the process was doing with it. So it runs in another one, with bounded memory, which this
module is when it is run: ``python -m dealermart.cells FILE SHEET`` writes JSON.
"""

from __future__ import annotations

import datetime as dt
import json
import resource
import subprocess
import sys
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import python_calamine

Range = tuple[tuple[int, int], tuple[int, int]]
"""First and last cell as row and column, counted from 0."""

_EXACT_INTEGERS = 2**53
_MOST_MEMORY = 4 * 1024**3
_MOST_SECONDS = 600
_NO_SHEET, _PASSWORD, _UNREADABLE = 3, 4, 5


class Unreadable(Exception):
    """The file is no workbook that can be read."""


class Protected(Exception):
    """The workbook is protected by a password."""


class NoSheet(Exception):
    """There is no sheet of that name; the arguments are the names that there are."""


@dataclass(frozen=True)
class Sheet:
    """A sheet from its first row and column on, and the cells that are merged in it."""

    name: str
    rows: list[list[Any]]
    merged: list[Range]


def sheet_of(path: Path, name: str | None) -> Sheet:
    """A sheet of a workbook, by default the first.

    Raises:
        NoSheet, Protected: as they say.
        Unreadable: the library gave up.
    """
    try:
        with python_calamine.CalamineWorkbook.from_path(path) as book:
            if not book.sheet_names:
                raise Unreadable
            if name not in (None, *book.sheet_names):
                raise NoSheet(*book.sheet_names)
            sheet = book.get_sheet_by_name(name or book.sheet_names[0])
            # Rows and columns before the first used cell count: people say "row 7" as Excel does.
            return Sheet(sheet.name, sheet.to_python(skip_empty_area=False), list(sheet.merged_cell_ranges or []))
    except (NoSheet, Unreadable):
        raise
    except python_calamine.PasswordError:
        raise Protected from None
    except (python_calamine.CalamineError, OSError, IndexError):
        raise Unreadable from None
    except BaseException as error:
        # What a damaged file does to the library's Rust code; it has no class that could be named.
        if type(error).__name__ != "PanicException":
            raise
        raise Unreadable from None


def sheet_apart(path: Path, name: str | None) -> Sheet:
    """``sheet_of`` in another process; the cells are texts."""
    command = [sys.executable, "-m", "dealermart.cells", str(path), *([name] if name is not None else [])]
    try:
        done = subprocess.run(command, capture_output=True, check=False, timeout=_MOST_SECONDS)
    except subprocess.TimeoutExpired:
        raise Unreadable from None
    if done.returncode == _NO_SHEET:
        raise NoSheet(*json.loads(done.stdout))
    if done.returncode == _PASSWORD:
        raise Protected
    if done.returncode:
        raise Unreadable
    found = json.loads(done.stdout)
    merged = [((top, left), (bottom, right)) for (top, left), (bottom, right) in found["merged"]]
    return Sheet(found["name"], found["rows"], merged)


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


def main(path: str, name: str | None = None) -> int:
    """Write a sheet as JSON; the exit code says what is wrong with the workbook."""
    resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, _MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        sheet = sheet_of(Path(path), name)
    except NoSheet as error:
        json.dump(error.args, sys.stdout)
        return _NO_SHEET
    except Protected:
        return _PASSWORD
    except Unreadable:
        return _UNREADABLE
    texts = [[cell_text(cell) for cell in row] for row in sheet.rows]
    json.dump({"name": sheet.name, "rows": texts, "merged": sheet.merged}, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
