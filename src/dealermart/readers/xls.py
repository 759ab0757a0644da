"""Old workbooks (xls), read by a process of their own.

What a damaged file makes of memory and time is bounded that way, and nothing but the file is lost with it. This module
is that process when it is run: ``python -m dealermart.readers.xls FILE [SHEET]`` writes JSON.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import resource
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import xlrd

from dealermart.readers.cells import NoSheet, Protected, Sheet, Unreadable, cell_text

MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

_MOST_MEMORY = 4 * 1024**3

_MOST_SECONDS = 600

_NO_SHEET, _PASSWORD, _UNREADABLE = 3, 4, 5

_NEWER_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")

_DURATION = re.compile(r"\[(h+|m+|s+)\]", re.IGNORECASE)


def old_sheet_of(path: Path, name: str | None) -> Sheet:
    """A sheet of a workbook, by default the first; the cells are texts.

    Raises:
        NoSheet, Protected: as they say.
        Unreadable: the library gave up, or needed more memory or time than there is.
    """
    command = [sys.executable, "-m", "dealermart.readers.xls", str(path), *([name] if name is not None else [])]
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
    errors = {int(row): columns for row, columns in found["errors"].items()}
    return Sheet(found["name"], found["rows"], merged, errors, found["from_1904"])


def main(path: str, name: str | None = None) -> int:
    """Write a sheet as JSON; the exit code says what is wrong with the workbook."""
    resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, _MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        json.dump(asdict(_read(Path(path), name)), sys.stdout)
    except NoSheet as error:
        json.dump(error.args, sys.stdout)
        return _NO_SHEET
    except Protected:
        return _PASSWORD
    except Exception:  # whatever a damaged file makes the library raise: it has no class for that
        return _UNREADABLE
    return 0


def _read(path: Path, name: str | None) -> Sheet:
    try:
        with Path(os.devnull).open("w") as nowhere:
            # Formats are asked for because merged cells, and which numbers are durations, come with them only.
            book = xlrd.open_workbook(
                str(path), logfile=nowhere, formatting_info=True, on_demand=True, ragged_rows=True
            )
            names = book.sheet_names()
            if name not in (None, *names):
                raise NoSheet(*names)
            sheet = book.sheet_by_name(name or names[0])
    except xlrd.XLRDError as error:
        if "encrypted" in str(error) or _NEWER_ENCRYPTED in path.read_bytes():
            raise Protected from None
        raise
    errors: dict[int, list[int]] = {}
    rows = []
    for row in range(sheet.nrows):
        rows.append([cell_text(_value(book, sheet, row, column)) for column in range(sheet.row_len(row))])
        if wrong := [at for at, kind in enumerate(sheet.row_types(row), start=1) if kind == xlrd.XL_CELL_ERROR]:
            errors[row + 1] = wrong
    merged = [((top, left), (bottom - 1, right - 1)) for top, bottom, left, right in sheet.merged_cells]
    return Sheet(sheet.name, rows, merged, errors, book.datemode == 1)


def _value(book: Any, sheet: Any, row: int, column: int) -> Any:
    """A cell as cells of newer workbooks are given: days, times and durations by their format; nothing for an error."""
    kind, value = sheet.cell_type(row, column), sheet.cell_value(row, column)
    if kind == xlrd.XL_CELL_ERROR:
        return ""
    if kind == xlrd.XL_CELL_BOOLEAN:
        return bool(value)
    if kind != xlrd.XL_CELL_DATE or value < 0:
        return value
    style = book.xf_list[sheet.cell_xf_index(row, column)]
    try:
        if _DURATION.search(book.format_map[style.format_key].format_str):
            return dt.timedelta(days=value)
        moment = xlrd.xldate.xldate_as_datetime(value, book.datemode)
    except OverflowError:  # 20260301 in a cell that Excel was told is a day, which it shows as #####
        return value
    return moment.time() if value < 1 else moment


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
