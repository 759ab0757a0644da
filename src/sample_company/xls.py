"""Small workbooks in the old binary format (BIFF8 in a compound file), which today's libraries read but do not write.

After Microsoft's [MS-XLS] and [MS-CFB]: one sheet, texts, numbers, days, times, durations, truth values and errors, at
most one allocation sector (63 kB).
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from datetime import date, time, timedelta
from enum import Enum
from pathlib import Path


class Error(Enum):
    """What a formula that fails leaves in a cell."""

    DIV0 = 0x07
    REF = 0x17
    NA = 0x2A


Cell = str | int | float | date | time | timedelta | Error | None

_SECTOR, _SMALLEST = 512, 4096
_END, _FAT, _FREE = 0xFFFFFFFE, 0xFFFFFFFD, 0xFFFFFFFF
_GENERAL, _DATE, _TIME, _DURATION = 0, 14, 21, 46  # built-in number formats
_PLAIN_XF, _DATE_XF, _TIME_XF, _DURATION_XF = range(15, 19)  # the first fifteen are styles


def write_xls(
    path: Path,
    sheet: str,
    rows: Sequence[Sequence[Cell]],
    from_1904: bool = False,
    merged: Sequence[tuple[int, int, int, int]] = (),
) -> None:
    """Write a workbook with one sheet; dates become date cells.

    Args:
        from_1904: Count days from 1904-01-01, as old Macs did.
        merged: First and last row, first and last column of cells that are merged, from 0.
    """
    path.write_bytes(_compound(_book(sheet, rows, from_1904, merged)))


def day_number(day: date, from_1904: bool = False) -> int:
    """The number by which a workbook stores a day from 1900-03-01 on."""
    return (day - (date(1904, 1, 1) if from_1904 else date(1899, 12, 30))).days


def _book(
    sheet: str, rows: Sequence[Sequence[Cell]], from_1904: bool, merged: Sequence[tuple[int, int, int, int]]
) -> bytes:
    formats = [_GENERAL] * (_PLAIN_XF + 1) + [_DATE, _TIME, _DURATION]
    begin = [
        _record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0005, 0x0DBB, 0x07CC, 0, 6)),
        _record(0x0042, struct.pack("<H", 1200)),
        _record(0x0022, struct.pack("<H", from_1904)),
        *(
            _record(0x00E0, struct.pack("<HHH14x", 0, form, 0xFFF5 if index < _PLAIN_XF else 0x0001))
            for index, form in enumerate(formats)
        ),
    ]
    name = struct.pack("<BB", len(sheet), 1) + sheet.encode("utf-16-le")
    length = sum(map(len, begin)) + 4 + 6 + len(name) + 4
    bound = _record(0x0085, struct.pack("<IBB", length, 0, 0) + name)
    cells = [_cell(row, column, cell, from_1904) for row, line in enumerate(rows) for column, cell in enumerate(line)]
    width = max(map(len, rows))
    return b"".join(
        (
            *begin,
            bound,
            _record(0x000A),
            _record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0010, 0x0DBB, 0x07CC, 0, 6)),
            _record(0x0200, struct.pack("<IIHHH", 0, len(rows), 0, width, 0)),
            *cells,
            _record(0x00E5, struct.pack("<H", len(merged)) + b"".join(struct.pack("<HHHH", *span) for span in merged)),
            _record(0x000A),
        )
    )


def _record(kind: int, content: bytes = b"") -> bytes:
    return struct.pack("<HH", kind, len(content)) + content


def _cell(row: int, column: int, cell: Cell, from_1904: bool) -> bytes:
    if cell is None:
        return b""
    if isinstance(cell, str):
        text = struct.pack("<HB", len(cell), 1) + cell.encode("utf-16-le")
        return _record(0x0204, struct.pack("<HHH", row, column, _PLAIN_XF) + text)
    if isinstance(cell, (bool, Error)):
        is_error = isinstance(cell, Error)
        value = cell.value if isinstance(cell, Error) else cell
        return _record(0x0205, struct.pack("<HHHBB", row, column, _PLAIN_XF, value, is_error))
    form, number = _PLAIN_XF, cell
    if isinstance(cell, date):
        form, number = _DATE_XF, day_number(cell, from_1904)
    elif isinstance(cell, time):
        form, number = _TIME_XF, (cell.hour * 3600 + cell.minute * 60 + cell.second) / 86400
    elif isinstance(cell, timedelta):
        form, number = _DURATION_XF, cell / timedelta(days=1)
    return _record(0x0203, struct.pack("<HHHd", row, column, form, number))


def _compound(stream: bytes) -> bytes:
    """A compound file: header, allocation table, directory, and the stream named Workbook."""
    stream = stream.ljust(max(_SMALLEST, -(-len(stream) // _SECTOR) * _SECTOR), b"\0")
    sectors = len(stream) // _SECTOR
    chain = [_FAT, _END, *range(3, 2 + sectors), _END]
    if len(chain) > _SECTOR // 4:
        raise ValueError("too large for a workbook with one allocation sector")
    chain += [_FREE] * (_SECTOR // 4 - len(chain))
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16)
    header += struct.pack("<HHHHH6xIIIIIIIIII", 0x3E, 3, 0xFFFE, 9, 6, 0, 1, 1, 0, _SMALLEST, _END, 0, _END, 0, 0)
    header += struct.pack("<108I", *[_FREE] * 108)
    directory = (
        _entry("Root Entry", 5, 1, _END, 0)
        + _entry("Workbook", 2, _FREE, 2, len(stream))
        + _entry("", 0, _FREE, 0, 0) * 2
    )
    return header + struct.pack("<128I", *chain) + directory + stream


def _entry(name: str, kind: int, child: int, start: int, size: int) -> bytes:
    text = name.encode("utf-16-le") + b"\0\0" if name else b""
    links = struct.pack("<BBIII", kind, 1, _FREE, _FREE, child)
    return text.ljust(64, b"\0") + struct.pack("<H", len(text)) + links + bytes(36) + struct.pack("<IQ", start, size)
