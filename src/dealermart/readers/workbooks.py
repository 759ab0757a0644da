"""What a workbook would become in memory, found out before anything reads it as one.

A reader makes every cell between the first and the last one used, and writes a shared text out for each cell that shows
it. A file of some kilobytes can ask for terabytes that way, and the reader would die of it instead of saying no. So the
parts are unpacked in a stream and counted: roughly by patterns, and exactly where the rough figure is too high.
"""

from __future__ import annotations

import posixpath
import re
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from xml.parsers import expat

import numpy as np
import numpy.typing as npt

from dealermart.base import DataError
from dealermart.config import MIB, Limits
from dealermart.readers.archives import UNREADABLE, open_checked, parts

Numbers = npt.NDArray[np.int64]

_STRINGS = "xl/sharedstrings.xml"

_OTHER_KINDS = ("xl/workbook.bin", "mimetype")  # xlsb, OpenDocument

_LONGEST_TAG = MIB

_AFTER_C = np.isin(np.arange(256), list(b" >/\n\r\t"))

_CELL = re.compile(rb"<c[\s/>]")

_PREFIXED = re.compile(rb":c[\s/>]")

_NUMBER = re.compile("[0-9]{1,9}")

_PLACE = re.compile("([A-Za-z]{1,7})([0-9]{1,9})")

_ERROR = re.compile(rb"\st\s*=\s*[\"']e[\"']")

_STRING = re.compile(rb"<si[\s/>]")


@dataclass
class _Sheet:
    """A part as patterns see it: never fewer cells than there are."""

    name: str
    is_sheet: bool = False
    cells: int = 0
    placed: int = 0
    rows: int = 0
    columns: int = 0

    def may_exceed(self, limit: int) -> bool:
        """Whether the sheet may have more cells than that; one that does not say where its cells stand may."""
        return self.is_sheet and (self.rows * self.columns > limit or (self.placed < self.cells and self.cells > 1))


def check_workbook(path: Path, limits: Limits) -> None:
    """Refuse a workbook that would not fit into memory.

    Raises:
        DataError: its parts, the cells of a sheet or all texts are more than ``limits`` allow, it is a workbook of
            another kind than xlsx, or it cannot be read. The error has no ``where``.
    """
    try:
        with open_checked(path, limits) as archive:
            if any(name in archive.NameToInfo for name in _OTHER_KINDS):
                raise DataError("the workbook is of another kind than xlsx", mend="open it and save it as .xlsx")
            longest, sheets = 0, []
            for name, pieces in parts(archive, limits):
                if name.lower() == _STRINGS:
                    longest = _longest_string(pieces, limits)
                else:
                    sheets.append(_rough(name, pieces))
            texts = sum(sheet.cells for sheet in sheets if sheet.is_sheet) * longest > limits.workbook_mb * MIB
            suspects = {sheet.name for sheet in sheets if (sheet.is_sheet and texts) or sheet.may_exceed(limits.cells)}
            if suspects:
                _check_exactly(archive, limits, suspects, texts)
    except (*UNREADABLE, expat.ExpatError):
        raise DataError("the workbook is damaged or was cut off", mend="deliver it again, whole") from None


def cell_errors(path: Path, sheet: str) -> dict[int, list[int]]:
    """The cells of a sheet that hold an error, such as #N/A, as columns by row, both counted from 1.

    A reader gives nothing for them, as for empty cells.
    """
    with zipfile.ZipFile(path) as archive:
        name = _part_of(archive, sheet)
        if name is None:
            return {}
        with archive.open(name) as stream:
            if not any(_ERROR.search(text) for text in _whole_tags(iter(partial(stream.read, MIB), b""))):
                return {}
        found = _Errors()
        with archive.open(name) as stream:
            _feed(iter(partial(stream.read, MIB), b""), found)
    return found.found


def _part_of(archive: zipfile.ZipFile, sheet: str) -> str | None:
    """The name of the part that a sheet is kept in."""
    attributes = _Attributes()
    for part in ("xl/workbook.xml", "xl/_rels/workbook.xml.rels"):
        if part not in archive.NameToInfo:
            return None
        with archive.open(part) as stream:
            _feed(iter(partial(stream.read, MIB), b""), attributes)
    for listed in attributes.found["sheet"]:
        if listed.get("name") == sheet:
            key = next((value for name, value in listed.items() if name.rpartition(":")[2] == "id"), None)
            for target in attributes.found["Relationship"]:
                if target.get("Id") == key:
                    name = posixpath.normpath(posixpath.join("/xl", target.get("Target", ""))).lstrip("/")
                    return name if name in archive.NameToInfo else None
    return None


def _rough(name: str, pieces: Iterable[bytes]) -> _Sheet:
    sheet = _Sheet(name)
    for text in _whole_tags(pieces):
        sheet.is_sheet = sheet.is_sheet or b"sheetData" in text
        if b":c" not in text and not _CELL.search(text):  # most parts have none, and looking closer takes longer
            continue
        cells, rows, columns = _places(text)
        sheet.cells += cells + (len(_PREFIXED.findall(text)) if b":c" in text else 0)
        sheet.placed += len(rows)
        sheet.rows = max(sheet.rows, int(rows.max(initial=0)))
        sheet.columns = max(sheet.columns, int(columns.max(initial=0)))
    return sheet


def _places(text: bytes) -> tuple[int, Numbers, Numbers]:
    """Cells in a piece of a sheet, and rows and columns of those that say their place as all known programs do.

    That is ``<c r="AB12"``; one that is written otherwise counts as one without a place.
    """
    signs = np.frombuffer(text + bytes(16), np.uint8)
    opened = np.flatnonzero((signs[:-1] == ord("<")) & (signs[1:] == ord("c")))
    opened = opened[_AFTER_C[signs[opened + 2]]]
    at, usual = opened + 2, np.ones(len(opened), bool)
    for sign in b' r="':
        usual &= signs[at] == sign
        at = at + 1
    at = at[usual]
    columns = rows = np.zeros(len(at), np.int64)
    for _ in range(3):
        found = signs[at].astype(np.int64)
        is_letter = (found >= ord("A")) & (found <= ord("Z"))
        columns = np.where(is_letter, columns * 26 + found - ord("A") + 1, columns)
        at = at + is_letter
    for _ in range(7):
        found = signs[at].astype(np.int64)
        is_digit = (found >= ord("0")) & (found <= ord("9"))
        rows = np.where(is_digit, rows * 10 + found - ord("0"), rows)
        at = at + is_digit
    good = (columns > 0) & (rows > 0) & (signs[at] == ord('"'))
    return len(opened), rows[good], columns[good]


def _whole_tags(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes, cut in front of tags only."""
    rest = b""
    for piece in pieces:
        text = rest + piece
        cut = max(text.rfind(b"<"), 0)
        yield text[:cut]
        rest = text[cut:]
        if len(rest) > _LONGEST_TAG:
            if b">" not in rest:
                raise DataError("the workbook is damaged", mend="open it in Excel and save it again")
            yield rest  # the tag has ended; what follows is text
            rest = b""
    yield rest


def _longest_string(pieces: Iterable[bytes], limits: Limits) -> int:
    """Bytes between the starts of two shared strings, at most."""
    longest = current = count = 0
    for text in _whole_tags(pieces):
        starts = [match.start() for match in _STRING.finditer(text)]
        count += len(starts)
        if count > limits.cells:
            raise DataError(f"it has more than {limits.cells:,} texts", mend="send it as CSV")
        for before, start in zip([-current, *starts], [*starts, len(text)], strict=True):
            longest = max(longest, start - before)
        current = len(text) - starts[-1] if starts else current + len(text)
    return longest


def _check_exactly(archive: zipfile.ZipFile, limits: Limits, suspects: set[str], texts: bool) -> None:
    lengths = _Lengths()
    for name, pieces in parts(archive, limits) if texts else ():
        _feed(pieces, lengths) if name.lower() == _STRINGS else _pass(pieces)
    total = 0
    for name, pieces in parts(archive, limits):
        if name not in suspects:
            _pass(pieces)
            continue
        cells = _Cells(lengths.found)
        _feed(pieces, cells)
        total += cells.texts
        if cells.rows * cells.columns > limits.cells:
            raise DataError(
                f"a sheet reaches over more than {limits.cells:,} cells, most of them empty",
                mend="delete what stands far outside the table, or set limits: {cells: ...} in the source's profile",
            )
        if total > limits.workbook_mb * MIB:
            raise DataError(
                f"the texts of its cells are more than {limits.workbook_mb:,} MB",
                mend="send it as CSV, or set limits: {workbook_mb: ...} in the source's profile",
            )


class _Listener:
    """Hears the tags and texts of a part, and what row and column a sheet has come to."""

    row = column = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "row":
            number = attributes.get("r", "")
            self.row, self.column = int(number) if _NUMBER.fullmatch(number) else self.row + 1, 0
        elif tag == "c":
            place = _PLACE.fullmatch(attributes.get("r", ""))
            self.column = _column(place[1].encode()) if place else self.column + 1
            self.cell(int(place[2]) if place else self.row, attributes)

    def cell(self, row: int, attributes: dict[str, str]) -> None:
        pass

    def text(self, text: str) -> None:
        pass

    def end(self, tag: str) -> None:
        pass


class _Lengths(_Listener):
    """How long each shared string is."""

    def __init__(self) -> None:
        self.found: list[int] = []

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "si":
            self.found.append(0)

    def text(self, text: str) -> None:
        if self.found:
            self.found[-1] += len(text)


class _Attributes(_Listener):
    """How a workbook is put together: the attributes of its sheets and of the parts that they are."""

    def __init__(self) -> None:
        self.found: dict[str, list[dict[str, str]]] = {"sheet": [], "Relationship": []}

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag in self.found:
            self.found[tag].append(attributes)


class _Errors(_Listener):
    """Where a sheet holds errors."""

    def __init__(self) -> None:
        self.found: dict[int, list[int]] = {}

    def cell(self, row: int, attributes: dict[str, str]) -> None:
        if attributes.get("t") == "e":
            self.found.setdefault(row, []).append(self.column)


class _Cells(_Listener):
    """How far a sheet reaches, and how long the shared strings in it are."""

    def __init__(self, lengths: list[int]) -> None:
        self.lengths = lengths
        self.rows = self.columns = self.texts = 0
        self.shared = False
        self.value: list[str] | None = None

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "v":
            self.value = []
        super().start(tag, attributes)

    def cell(self, row: int, attributes: dict[str, str]) -> None:
        self.rows = max(self.rows, row)
        self.columns = max(self.columns, self.column)
        self.shared = attributes.get("t") == "s"

    def text(self, text: str) -> None:
        if self.value is not None:
            self.value.append(text)

    def end(self, tag: str) -> None:
        if tag == "v" and self.value is not None:
            index = "".join(self.value).strip()
            if self.shared and _NUMBER.fullmatch(index) and int(index) < len(self.lengths):
                self.texts += self.lengths[int(index)]
            self.value = None


def _feed(pieces: Iterable[bytes], listener: _Listener) -> None:
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.StartElementHandler = lambda tag, attributes: listener.start(tag.rpartition(":")[2], attributes)
    parser.EndElementHandler = lambda tag: listener.end(tag.rpartition(":")[2])
    parser.CharacterDataHandler = listener.text
    try:
        for piece in pieces:
            parser.Parse(piece, False)
        parser.Parse(b"", True)
    except (ValueError, LookupError):  # what the parser says of an encoding that it does not know
        raise DataError("the workbook is written in an unusual encoding", mend="open it and save it as .xlsx") from None


def _refuse_doctype(*_: object) -> None:
    raise DataError("the workbook declares a document type, as none does", mend="open it in Excel and save it again")


def _pass(pieces: Iterable[bytes]) -> None:
    for _ in pieces:
        pass


def _column(letters: bytes) -> int:
    """Number of a column, A being 1."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number
