"""What a workbook would become in memory, found out before anything reads it as one.

A reader makes every cell between the first and the last one used, and writes a shared text out for each cell that shows
it. A file of some kilobytes can ask for terabytes that way, and the reader would die of it instead of saying no. So the
parts are unpacked in a stream and counted: roughly by patterns, and exactly where the rough figure is too high.
"""

from __future__ import annotations

import posixpath
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping
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

Range = tuple[tuple[int, int], tuple[int, int]]

_STRINGS = "sharedstrings.xml"

_OTHER_KINDS = ("workbook.bin", "mimetype")  # xlsb, OpenDocument

_LONGEST_TAG = MIB

_AFTER_C = np.isin(np.arange(256), list(b" >/\n\r\t"))

_CELL = re.compile(rb"<c[\s/>]")

_PREFIXED = re.compile(rb":c[\s/>]")

_NUMBER = re.compile("[0-9]{1,9}")

_PLACE = re.compile("([A-Za-z]{1,7})([0-9]{1,9})")

_ERROR = re.compile(rb"\st\s*=\s*[\"']e[\"']")

_STRING = re.compile(rb"<si[\s/>]")

# What a cell with a formula and no value comes to, or an empty value; seldom something else.
_NO_VALUE = re.compile(rb"(?:/>|</(?:\w+:)?f\s*>)\s*</(?:\w+:)?c\s*>|<(?:\w+:)?v(?:\s[^<>]*)?(?:/>|>\s*</)")

_OVERLAP = 4096

_UNUSUAL = (b"<!--", b"<![CDATA[")  # what can stand between, which no program writes

_ANY_PLACE = re.compile(r"\$?([A-Za-z]{1,3})\$?([0-9]{1,7})(?::\$?([A-Za-z]{1,3})\$?([0-9]{1,7}))?")


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
            if any(_last(name) in _OTHER_KINDS for name in archive.NameToInfo):
                raise DataError("the workbook is of another kind than xlsx", mend="open it and save it as .xlsx")
            longest, sheets = 0, []
            for name, pieces in parts(archive, limits):
                if _last(name) == _STRINGS:
                    longest = max(longest, _longest_string(pieces, limits))
                else:
                    sheets.append(_rough(name, pieces))
            texts = sum(sheet.cells for sheet in sheets if sheet.is_sheet) * longest > limits.workbook_mb * MIB
            suspects = {sheet.name for sheet in sheets if (sheet.is_sheet and texts) or sheet.may_exceed(limits.cells)}
            if suspects:
                _check_exactly(archive, limits, suspects, texts)
    except (*UNREADABLE, expat.ExpatError):
        raise DataError("the workbook is damaged or was cut off", mend="deliver it again, whole") from None


class Parts:
    """How a workbook (xlsx) is put together. Parts are found as Excel finds them, in any case and with either slash.

    A reader has rules of its own for that. Where it could come to another part than Excel, the workbook is refused.

    Attributes:
        sheets: Name and part of each sheet in the workbook's order; no part where there is none.
        from_1904: Whether day numbers count from 1904.

    Raises:
        DataError: the parts cannot be found or looked through.
    """

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._names = {_key("", name): name for name in archive.namelist()}
        if len(self._names) < len(archive.namelist()):
            raise self.unusual()
        (main,) = self._related("", "officeDocument").values() or (None,)
        if main not in self._names or _last(main) != "workbook.xml":
            raise self.unusual()
        about = self._attributes(main, "sheet", "workbookPr")
        related = self._related(main)
        names = [listed.get("name", "") for listed in about["sheet"]]
        if len(set(names)) < len(names):
            raise self.unusual()
        self.sheets = [
            (name, related.get(next((value for key, value in listed.items() if key.rpartition(":")[2] == "id"), "")))
            for name, listed in zip(names, about["sheet"], strict=True)
        ]
        self.from_1904 = any(found.get("date1904", "").lower() in ("1", "true") for found in about["workbookPr"])
        self._styles = main[: -len("workbook.xml")] + "styles.xml"
        if any(part != self._styles for part in self._related(main, "styles").values()):
            raise self.unusual()

    @staticmethod
    def unusual() -> DataError:
        """The error for a workbook whose parts cannot be found for certain."""
        return DataError(
            "the parts of the workbook are not where they should be, so its cells cannot be checked",
            mend="open it in Excel and save it as .xlsx",
        )

    def look(self, sheet: str, zeros: Mapping[str, str]) -> Looks:
        """What a reader does not say of the cells of a sheet.

        Args:
            zeros: What is shown by the styles that show leading zeros, by the number of the style.
        """
        found = Looks(zeros)
        part = dict(self.sheets)[sheet]
        if part not in self._names:
            raise self.unusual()
        if not _quick_look(self._pieces(part), found):
            found = Looks(zeros)
            _feed(self._pieces(part), found)
        return found

    def formats(self) -> dict[str, str]:
        """The formats of numbers that a workbook makes itself, by the style that cells name."""
        if self._styles not in self._names:
            return {}
        styles = _Styles()
        _feed(self._pieces(self._styles), styles)
        return {str(style): styles.codes[number] for style, number in enumerate(styles.cells) if number in styles.codes}

    def _related(self, part: str, kind: str | None = None) -> dict[str, str]:
        """The parts that a part names as related to it, by their id; of one kind, or of all."""
        folder, _, last = part.rpartition("/")
        found = self._attributes(_key(folder, f"_rels/{last}.rels"), "Relationship")["Relationship"]
        if len({listed.get("Id") for listed in found}) < len(found):
            raise self.unusual()
        return {
            listed.get("Id", ""): _key(folder, listed.get("Target", ""))
            for listed in found
            if kind is None or listed.get("Type", "").rpartition("/")[2] == kind
        }

    def _attributes(self, part: str, *tags: str) -> dict[str, list[dict[str, str]]]:
        if part not in self._names:
            raise self.unusual()
        found = _Attributes(tags)
        _feed(self._pieces(part), found)
        return found.found

    def _pieces(self, part: str) -> Iterator[bytes]:
        with self._archive.open(self._names[part]) as stream:
            yield from iter(partial(stream.read, MIB), b"")


def _key(folder: str, name: str) -> str:
    """A part's name as Excel compares it; a relative one is one inside the folder."""
    return posixpath.normpath(posixpath.join("/", folder, name.replace("\\", "/"))).lstrip("/").lower()


def _last(name: str) -> str:
    return _key("", name).rpartition("/")[2]


def _quick_look(pieces: Iterable[bytes], found: Looks) -> bool:
    """Whether a look at a sheet's bytes is enough: nothing but usual numbers with leading zeros was found."""
    styles = "|".join(found.zeros).encode()
    if "0" in found.zeros:  # the style of cells that name none
        return False
    styled = re.compile(rb"<(?:\w+:)?c\s[^<>]*\bs\s*=\s*[\"'](?:%s)[\"']" % styles)
    usual = re.compile(rb'<c r="([A-Z]{1,3})([0-9]{1,7})" s="(%s)"(?: t="([A-Za-z]+)")?/?>' % styles)
    before = b""
    for text in _whole_tags(pieces):
        if not before and (b"\0" in text[:4] or text.startswith((b"\xff\xfe", b"\xfe\xff"))):  # UTF-16
            raise DataError("the workbook is written in an unusual encoding", mend="open it and save it as .xlsx")
        if _ERROR.search(text) or any(sign in text for sign in _UNUSUAL):
            return False
        joined = before + text
        # A formula can be longer than what is kept of the piece before: then only its end is here.
        if any(sign in joined for sign in (b"<f", b"/f", b":f")) and _NO_VALUE.search(joined):
            return False
        if found.zeros:
            cells = usual.findall(text)
            if len(cells) != len(styled.findall(text)):
                return False
            for letters, row, style, kind in cells:
                if kind in (b"", b"n"):
                    found.shown[int(row), _column(letters)] = found.zeros[style.decode()]
        before = text[-_OVERLAP:]
    return True


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
        _feed(pieces, lengths) if _last(name) == _STRINGS else _pass(pieces)
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
    """The attributes of some tags."""

    def __init__(self, tags: Iterable[str]) -> None:
        self.found: dict[str, list[dict[str, str]]] = {tag: [] for tag in tags}

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag in self.found:
            self.found[tag].append(attributes)


class _Styles(_Listener):
    """Formats of numbers by their own number, and the number of the format of each style of cells."""

    def __init__(self) -> None:
        self.codes: dict[str, str] = {}
        self.cells: list[str] = []
        self.inside = ""

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag in ("numFmts", "cellXfs"):
            self.inside = tag
        elif tag == "numFmt" and self.inside == "numFmts":
            self.codes[attributes.get("numFmtId", "")] = attributes.get("formatCode", "")
        elif tag == "xf" and self.inside == "cellXfs":
            self.cells.append(attributes.get("numFmtId", "0"))

    def end(self, tag: str) -> None:
        if tag == self.inside:
            self.inside = ""


class Looks(_Listener):
    """Cells of which a reader says less than Excel shows, as columns by row, both from 1.

    Attributes:
        errors: Cells that hold an error, such as #N/A.
        formulas: Cells with a formula and without a value. A formula that came to an empty text is a text.
        arrays: Ranges of formulas without a value that fill more than their own cell, from 0.
        shown: What is shown by the style of a number, by row and column.
    """

    def __init__(self, zeros: Mapping[str, str]) -> None:
        self.zeros = zeros
        self.errors: dict[int, list[int]] = {}
        self.formulas: dict[int, list[int]] = {}
        self.arrays: list[Range] = []
        self.shown: dict[tuple[int, int], str] = {}
        self._at, self._kind = 0, ""
        self._formula: dict[str, str] | None = None
        self._has_value = self._in_value = False

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        super().start(tag, attributes)
        if tag == "f":
            self._formula = attributes
        elif tag == "v":
            self._in_value = True
            self._has_value = self._has_value or self._kind == "str"
        elif tag == "is":
            self._has_value = True

    def cell(self, row: int, attributes: dict[str, str]) -> None:
        self._at, self._kind = row, attributes.get("t", "n")
        self._formula, self._has_value, self._in_value = None, False, False
        if self._kind == "e":
            self.errors.setdefault(row, []).append(self.column)
        elif self._kind == "n" and (form := self.zeros.get(attributes.get("s", "0"))):
            self.shown[row, self.column] = form

    def text(self, text: str) -> None:
        if self._in_value and text.strip():
            self._has_value = True

    def end(self, tag: str) -> None:
        if tag == "v":
            self._in_value = False
        elif tag == "c" and self._formula is not None:
            if not self._has_value and self._kind != "e":
                self.formulas.setdefault(self._at, []).append(self.column)
                self._spread(self._formula)
            self._formula = None

    def _spread(self, formula: Mapping[str, str]) -> None:
        place = _ANY_PLACE.fullmatch(formula.get("ref", ""))
        if place and place[3] and formula.get("t") in ("array", "dataTable"):
            (top, left), (bottom, right) = (
                (int(row) - 1, _column(letters.encode()) - 1)
                for letters, row in ((place[1], place[2]), (place[3], place[4]))
            )
            self.arrays.append(((top, left), (bottom, right)))


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
