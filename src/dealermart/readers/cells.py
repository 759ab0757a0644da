"""Cells of a sheet as the texts that a person would write, and the sheets of workbooks (xlsx)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import python_calamine

Range = tuple[tuple[int, int], tuple[int, int]]

_EXACT_INTEGERS = 2**53


class Unreadable(Exception):
    """The file is no workbook that can be read."""


class Protected(Exception):
    """The workbook is protected by a password."""


class NoSheet(Exception):
    """There is no sheet of that name; the arguments are the names that there are."""


@dataclass(frozen=True)
class Sheet:
    """A sheet from its first row and column on.

    Attributes:
        merged: Cells that are merged.
        errors: Cells that hold an error, such as #N/A, as columns by row, both counted from 1. They are empty in
            ``rows``.
        from_1904: Whether the workbook's day numbers count from 1904. Date cells are dates; bare numbers need to know.
    """

    name: str
    rows: list[list[Any]]
    merged: list[Range]
    errors: Mapping[int, list[int]] = field(default_factory=dict)
    from_1904: bool = False


def sheet_of(path: Path, name: str | None) -> Sheet:
    """A sheet of a workbook (xlsx), by default the first, without its errors and its beginning of time.

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
