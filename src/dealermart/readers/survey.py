"""A fast look over a CSV file in UTF-8: counts its records without the engine, and says whether the engine may read it.

DuckDB skips blank lines in silence, takes an open quote to the end of the file and reads text around quotes in its own
way. So records are counted here, from bytes, and a file that is not in the plain form goes to Python's csv module.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dealermart.base import DataError
from dealermart.readers import damage
from dealermart.readers.columns import INVISIBLE, JOINERS
from dealermart.readers.table import BLANKS

Positions = npt.NDArray[np.int64]

LONGEST_LINE = 64 * 1024 * 1024

# DuckDB refuses lines over 2 MB unless told otherwise; longer ones are rare enough for the other road.
LONGEST_PLAIN = 1_900_000

_CHUNK = 1024 * 1024

_STRIDE = 5_000

_LF, _CR, _SPACE = 10, 13, 32

_UNSEEN = re.compile("[" + "".join(blank for blank in BLANKS if not blank.isascii()) + INVISIBLE + JOINERS + "]")

_FULL_WIDTH = (b"\xef\xbc", b"\xef\xbd")  # the first two bytes of such a sign


@dataclass(frozen=True)
class Survey:
    """What the bytes of a file say.

    Attributes:
        records: Number of records, blank ones included.
        blanks: Ordinals (0-based) of the blank ones.
        newline: How records end.
        padded: Whether some value may begin or end with white space, or hold what has to be cleaned in any column.
        wide: Whether full-width signs may stand in it.
        folded: Whether newlines stand inside quotes. DuckDB's parallel scan can take one for a record's end.
        loose: Records with newlines and as many delimiters inside quotes as a record has: as ``samples``. A stray quote
            may have made them of several.
        suspect: Whether some text may be damaged.
        oddity: Why the engine must not read the file; None where it may.
        samples: Ordinals of some records, evenly spread, with their first byte and the byte after them.
    """

    records: int
    blanks: Positions
    newline: str
    padded: bool
    wide: bool
    folded: bool
    loose: list[tuple[int, int, int]]
    suspect: bool
    oddity: str | None
    samples: list[tuple[int, int, int]]


def survey(path: Path, start: int, line: int, delimiter: str, quote: str, width: int) -> Survey:
    """Go over the file once.

    Args:
        start: Byte at which the first record begins.
        line: Number of the line (1-based) that begins there.
        delimiter: One ASCII character.
        quote: One ASCII character, or nothing.
        width: Fields of a record.

    Raises:
        NotEncoded: bytes that are not UTF-8, with the line.
    """
    edges = np.zeros(256, dtype=bool)
    edges[[ord(delimiter), _LF, _CR, *map(ord, quote)]] = True
    records = crlf = quotes = longest = 0
    previous = start - 1
    blanks: list[Positions] = []
    samples: list[tuple[int, int, int]] = []
    padded, wide, folded, suspect, oddity = False, False, False, False, None
    loose: list[tuple[int, int, int]] = []
    inside = [0, 0]  # newlines and delimiters inside quotes, of the record that began in the piece before
    for offset, chunk in _chunks(path, start):
        if not chunk.isascii():
            text = decoded(chunk, path, line)
            padded = padded or _UNSEEN.search(text) is not None
            wide = wide or any(sign in chunk for sign in _FULL_WIDTH)
        suspect = suspect or damage.suspect(chunk)
        padded = padded or (b"=" in chunk and b'="' in chunk)
        view = np.frombuffer(chunk, dtype=np.uint8)
        newlines = np.flatnonzero(view == _LF)
        controls = int(np.count_nonzero(view < _SPACE))
        is_bare = controls == len(newlines)  # no other control character: nothing to look for
        returns = _places(chunk, view, "" if is_bare else "\r")
        marks = _places(chunk, view, quote)
        ends = _outside(newlines, marks, quotes)
        if oddity is None:
            oddity = _oddity(view, marks, quotes, returns, edges)
        if oddity is None and not is_bare and b"\0" in chunk:
            oddity = "NUL characters"
        returned = int(np.count_nonzero(view[ends - 1] == _CR)) if len(returns) else 0
        crlf += returned
        absolute = ends + offset
        lengths = np.diff(absolute, prepend=previous)
        short = np.flatnonzero(lengths <= 2)
        blanks.append(short[(lengths[short] == 1) | (view[ends[short] - 1] == _CR)] + records)
        if len(ends) != len(newlines) or quotes % 2:
            folded = True
            counted = []
            for sign, before in zip((newlines, _places(chunk, view, delimiter)), inside, strict=True):
                within = sign[(np.searchsorted(marks, sign) + quotes) % 2 == 1]
                counted.append(np.diff(np.searchsorted(within, [*ends, len(view)]), prepend=-before))
            inside = [int(count[-1]) for count in counted]
            for found in np.flatnonzero((counted[0][:-1] > 0) & (counted[1][:-1] >= width - 1)):
                place = int(found)
                loose.append((records + place, int(absolute[place] - lengths[place]) + 1, int(absolute[place])))
        for index in range(-records % _STRIDE, len(ends), _STRIDE):
            samples.append((records + index, int(absolute[index] - lengths[index]) + 1, int(absolute[index])))
        longest = max(longest, int(lengths.max(initial=0)))
        if not padded:
            tabs = _outside(_places(chunk, view, "\t"), marks, quotes) if delimiter == "\t" else ends[:0]
            padded = controls != len(ends) + returned + len(tabs) or _is_padded(view, _places(chunk, view, " "), edges)
        quotes += len(marks)
        records += len(ends)
        line += len(newlines)
        previous = int(absolute[-1]) if len(ends) else previous
    if quotes % 2:
        oddity = oddity or "a quote that is never closed"
    # The last record may lack its end.
    if crlf not in (0, records, records - (not _ends_with_newline(path))):
        oddity = oddity or "two kinds of line ends"
    if longest > LONGEST_PLAIN:
        oddity = oddity or "very long records"
    return Survey(
        records=records,
        blanks=np.concatenate(blanks) if blanks else np.empty(0, np.int64),
        newline="\r\n" if crlf else "\n",
        padded=padded,
        wide=wide,
        folded=folded,
        loose=loose,
        suspect=suspect,
        oddity=oddity,
        samples=samples,
    )


def ordinals(path: Path, start: int, quote: str, positions: Positions) -> Positions:
    """The ordinals (0-based) of the records that begin at or before the given bytes of the file and end after them.

    Args:
        positions: Sorted byte positions.
    """
    with path.open("rb") as file:
        positions = np.array([_past_newlines(file, int(position)) for position in positions], dtype=np.int64)
    found = np.full(len(positions), -1, dtype=np.int64)
    if not len(positions):
        return found
    records = quotes = 0
    for offset, chunk in _chunks(path, start):
        view = np.frombuffer(chunk, dtype=np.uint8)
        marks = _places(chunk, view, quote)
        ends = _outside(np.flatnonzero(view == _LF), marks, quotes)
        here = (positions >= offset) & (positions < offset + len(chunk))
        found[here] = np.searchsorted(ends, positions[here] - offset) + records
        records += len(ends)
        quotes += len(marks)
    return found


def decoded(chunk: bytes, path: Path, line: int) -> str:
    """The text of UTF-8 bytes that begin at the given line."""
    try:
        return chunk.decode()
    except UnicodeDecodeError as error:
        raise not_encoded(path, line + chunk[: error.start].count(b"\n"), "utf-8") from None


class NotEncoded(DataError):
    """Bytes that are not in the encoding of their file."""


def not_encoded(path: Path, line: int, encoding: str) -> NotEncoded:
    """The error for bytes that are not in the encoding."""
    return NotEncoded(
        f"the bytes are not text in {encoding}",
        where=f"{path}:{line}",
        mend="set encoding in the source profile (utf-8, utf-16, gb18030, cp1252 ...), or ask for another export",
    )


def _chunks(path: Path, start: int) -> Iterator[tuple[int, bytes]]:
    """Whole lines in pieces of about a megabyte, each with its position; a last line without an end gets one."""
    with path.open("rb") as file:
        file.seek(start)
        rest = b""
        while piece := file.read(_CHUNK):
            cut = piece.rfind(b"\n") + 1
            if not cut:
                rest += piece
                if len(rest) > LONGEST_LINE:
                    raise too_long(path)
                continue
            yield start, b"".join((rest, memoryview(piece)[:cut]))
            start += len(rest) + cut
            rest = piece[cut:]
        if rest:
            yield start, rest + b"\n"


def too_long(path: Path) -> DataError:
    """The error for a file without line ends where they should be."""
    return DataError(
        f"a line is longer than {LONGEST_LINE // 1024 // 1024} MB",
        where=str(path),
        mend="set row_end and encoding in the source profile to what the file uses",
    )


def _outside(newlines: Positions, marks: Positions, quotes: int) -> Positions:
    """The newlines outside quotes: those with an even number of quotes before them."""
    if not len(marks) and quotes % 2 == 0:
        return newlines
    return newlines[(np.searchsorted(marks, newlines) + quotes) % 2 == 0]


def _oddity(
    view: npt.NDArray[Any], marks: Positions, quotes: int, returns: Positions, edges: npt.NDArray[Any]
) -> str | None:
    if len(marks):
        # A piece ends with a newline, so the byte before its first one can be read off its end, and no quote is last.
        # A doubled quote closes and opens again at once: a quote beside a quote is in order, as is one beside an edge.
        opening = (np.arange(len(marks)) + quotes) % 2 == 0
        if not edges[view[marks[opening] - 1]].all() or not edges[view[marks[~opening] + 1]].all():
            return "text around quotes"
    if len(returns):
        lone = returns[view[returns + 1] != _LF]
        if len(lone) and (not len(marks) or ((np.searchsorted(marks, lone) + quotes) % 2 == 0).any()):
            return "carriage returns inside lines"
    return None


def _places(chunk: bytes, view: npt.NDArray[Any], sign: str) -> Positions:
    """Where an ASCII character (or none) stands. Most pieces lack most signs, and that is soon seen."""
    return np.flatnonzero(view == ord(sign)) if sign and sign.encode() in chunk else np.empty(0, np.int64)


def _is_padded(view: npt.NDArray[Any], spaces: Positions, edges: npt.NDArray[Any]) -> bool:
    """Whether spaces stand at the edges of values."""
    return bool(len(spaces) and (edges[view[spaces - 1]].any() or edges[view[spaces + 1]].any()))


def _ends_with_newline(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"


def _past_newlines(file: Any, position: int) -> int:
    """Where the record begins: DuckDB counts blank lines, and the LF of the CRLF before, to the record after them."""
    file.seek(position)
    while file.read(1) in (b"\r", b"\n"):
        position += 1
    return position
