"""Text files in any encoding as UTF-8, in a stream; which encoding it is where the profile leaves that open.

The rules are few and can be told: a byte order mark, strict UTF-8, the NUL bytes of UTF-16, then GB18030 against cp1252
by what the text would be made of, and against the code pages of other languages by what is common in these. The
confidence is a share that was counted, in percent.
"""

from __future__ import annotations

import codecs
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from dealermart.base import DataError
from dealermart.config import DETECTABLE
from dealermart.readers import alphabets
from dealermart.readers.survey import not_encoded

ENOUGH = 75

# A stated encoding is doubted only where much speaks for another one: so many bytes beyond ASCII, so sure.
_MUCH, _CONTRADICTION = 4, 90

_CHUNK = 1024 * 1024

_SAMPLE = 256 * 1024

_WORDS = 16 * 1024  # bytes of the sample that are read in all code pages

_MOST_PRIVATE = 0.05  # of the characters; a rare name may have one

_ASCII = "ASCII only, which all read alike"

_MEND = "set encoding in the source profile to what the sender uses"

_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))

_FAMILIES = {
    "utf-8": "utf-8",
    "utf-8-sig": "utf-8",
    "gb18030": "gb18030",
    "gbk": "gb18030",
    "gb2312": "gb18030",
    "cp1252": "cp1252",
    "iso8859-1": "cp1252",
}

# How bytes beyond ASCII stand in Western words: one or two accented letters beside plain ones, or one alone; signs
# beside no letter, or behind a word as quotes and dots do.
_HIGH, _CLOSING = rb"\x80-\xff", rb"\x85\x92\x94\xa0\xbb"

_LETTERS = rb"\xc0-\xd6\xd8-\xf6\xf8-\xff\x8a\x8c\x8e\x9a\x9c\x9e\x9f"

_SIGNS = rb"\x80\x82-\x87\x89\x8b\x91-\x97\x99\x9b\xa0-\xbf\xd7\xf7"

_NOT_HIGH, _ENDED = rb"(?<![" + _HIGH + rb"])", rb"(?:(?![" + _HIGH + rb"])|(?=[" + _CLOSING + rb"]))"

_WESTERN = re.compile(
    b"|".join(
        (
            rb"(?<=[A-Za-z])[" + _LETTERS + rb"]{1,2}" + _ENDED,
            _NOT_HIGH + rb"[" + _LETTERS + rb"]{1,2}(?=[A-Za-z])",
            _NOT_HIGH + rb"[" + _LETTERS + rb"]" + _ENDED,
            rb"(?<=[A-Za-z])\x92(?=[A-Za-z" + _LETTERS + rb"])",
            rb"(?<=[A-Za-z" + _LETTERS + rb"])[" + _CLOSING + rb"]{1,3}(?![" + _HIGH + rb"])",
            rb"(?<![" + _HIGH + rb"A-Za-z])[" + _SIGNS + rb"]{1,2}(?![" + _HIGH + rb"])",
            _NOT_HIGH + rb"[" + _SIGNS + rb"]{1,2}(?![" + _HIGH + rb"A-Za-z])",
        )
    )
)

# A capital in the middle of a word: the encoding of another system.
_AMID = re.compile(rb"[a-z][\xc0-\xd6\xd8-\xde\x8a\x8c\x8e\x9f]")


@dataclass(frozen=True)
class Encoding:
    """How a file was read: Python's name of the codec, and percent of confidence where it was detected."""

    name: str
    confidence: int | None = None


def as_utf8(path: Path, stated: str | tuple[str, ...], work: Path) -> tuple[Path, Encoding]:
    """The file itself where it is in UTF-8, else a copy in ``work`` in UTF-8 (the caller removes it).

    Args:
        stated: Of the profile: an encoding, ``auto``, or candidates.

    Raises:
        DataError: an encoding that Python does not know, a byte order mark of another one, bytes that are not in it
            (with the line) or look like another one, or a detection that is not sure enough.
    """
    encoding = _stated(path, stated) if isinstance(stated, str) and stated != "auto" else _detected(path, stated)
    if codecs.lookup(encoding.name).name in ("utf-8", "utf-8-sig"):
        return path, encoding
    return copied(path, encoding.name, work), encoding


def copied(path: Path, encoding: str, work: Path) -> Path:
    """A copy of a file in ``work``, in UTF-8. A character that a field of fixed width has cut in half is U+FFFD in it.

    Raises:
        NotEncoded: other bytes that are not in the encoding, or cut characters in more than half of the lines that
            have characters beyond ASCII.
    """
    copy = work / f"{path.name}.utf8"
    # In UTF-16 a byte that lacks shifts all that follow.
    errors = "strict" if codecs.lookup(encoding).name.startswith(("utf-16", "utf-32")) else _CUT
    decoder, line, cut = codecs.getincrementaldecoder(encoding)(errors), 1, False
    with path.open("rb") as source, copy.open("w", encoding="utf-8", newline="") as into:
        first, piece = True, b"-"
        while piece:
            piece = source.read(_CHUNK)
            try:
                text = decoder.decode(piece, final=not piece)
                cut = cut or _MARK in text
                text = text.replace(_MARK, "\ufffd")
                into.write(text.removeprefix("\ufeff") if first else text)
            except UnicodeError as error:
                copy.unlink()
                good = error.object[: error.start] if isinstance(error, UnicodeDecodeError) else b""
                line += good.decode(encoding, errors="ignore").count("\n")
                raise not_encoded(path, line, encoding) from None
            first = first and not text
            line += text.count("\n")
    if cut and (line := _too_much_cut(copy)):
        copy.unlink()
        raise not_encoded(path, line, encoding)
    return copy


def _too_much_cut(copy: Path) -> int:
    """The first line with a cut character (1-based), where most lines that could have one do; else 0."""
    beyond, cut = 0, list[int]()
    with copy.open("rb") as file:
        for number, line in enumerate(file, start=1):
            beyond += not line.isascii()
            if "\ufffd".encode() in line:
                cut.append(number)
    return cut[0] if len(cut) * 2 > beyond else 0


def _cut_character(error: UnicodeError) -> tuple[str, int]:
    """Handler of decoding errors: the first bytes of a character where a value ends are marked; others are errors."""
    if isinstance(error, UnicodeDecodeError):
        for end in range(error.start + 1, min(error.start + 4, len(error.object) + 1)):
            after = error.object[end : end + 1]
            # At the end of the file nothing follows: that is a file which was cut off.
            if after and after.isascii() and not after.isalnum() and _waits(error, end):
                return _MARK, end
    raise error


def _waits(error: UnicodeDecodeError, end: int) -> bool:
    """Whether the bytes are the beginning of a character: alone they are none, with some others they are one."""
    piece = error.object[error.start : end]
    decoder = codecs.getincrementaldecoder(error.encoding)("ignore")
    return decoder.decode(piece) == "" and any(len(_tried(piece + rest, error.encoding)) == 1 for rest in _RESTS)


def _tried(piece: bytes, encoding: str) -> str:
    try:
        return piece.decode(encoding)
    except UnicodeDecodeError:
        return ""


# With one of these any beginning of a character is whole, in UTF-8 and in the code pages of East Asia.
_RESTS = (b"\xa1", b"\xa1\xa1", b"\xa1\xa1\xa1", b"\x80", b"\x80\x80", b"\x80\x80\x80", b"0", b"\x810", b"0\x810")

# The handler's name, and what it leaves for a cut character: a sign that no text has, since a lost one is U+FFFD too.
_CUT, _MARK = "dealermart.cut", "\ufdd3"

codecs.register_error(_CUT, _cut_character)


def detect(path: Path, candidates: Sequence[str] = DETECTABLE) -> tuple[Encoding, str]:
    """The likeliest of the candidates, with the evidence in words; its confidence can be too low to use it."""
    with path.open("rb") as file:
        start = file.read(4)
    for mark, name in _BOMS:
        if start.startswith(mark) and name in candidates:
            return Encoding(name, 100), "a byte order mark"
    ascii_only, nul, utf8, wide = _look(path)
    if nul and "utf-16" in candidates:
        return _utf16(path)
    if ascii_only:
        return Encoding(candidates[0] if "utf-8" not in candidates else "utf-8", 100), _ASCII
    if utf8 and "utf-8" in candidates:
        # A chance text of other bytes can pass for one or two letters of UTF-8, not for more and not for a Hanzi.
        doubtful = not wide and "gb18030" in candidates and _could_be_hanzi(_sample(path))
        return Encoding("utf-8", 99 if wide else 60 if doubtful else 90), "all bytes are UTF-8" + (
            ", and common Chinese characters as well" if doubtful else ""
        )
    sample = _sample(path)
    hanzi, western = _hanzi(sample), _western(sample)
    shares = {name: share for name, share in (("gb18030", hanzi), ("cp1252", western)) if share is not None}
    fitting = {name: share for name, share in shares.items() if name in candidates}
    told = f"{(hanzi or 0) * 100:.0f} % common Chinese characters, {(western or 0) * 100:.0f} % as in Western words"
    if not fitting:
        return Encoding(candidates[0], 0), f"the bytes are not text in {', '.join(candidates)}"
    best = max(fitting, key=lambda name: fitting[name])
    # What speaks for the other one counts from a half on: two accented letters in a row are a rare Hanzi.
    against = max((share for name, share in fitting.items() if name != best), default=0.0)
    confidence = int(100 * fitting[best] * (1 - max(0.0, 2 * against - 1)))
    if len(fitting) == 1 and len(candidates) < len(DETECTABLE):
        confidence = max(confidence, 90)  # the profile leaves no other that can read the bytes
    elif rival := alphabets.rival(sample[:_WORDS], best, least=2):
        own = alphabets.reading(sample[:_WORDS], best)
        confidence = min(confidence, int(100 * own.share / (own.share + rival.share)))
        told = f"{own}, {rival}"
    return Encoding(best, confidence), told


def _stated(path: Path, stated: str) -> Encoding:
    try:
        codec = codecs.lookup(stated)
        "".encode(stated)  # refuses codecs that are not of text
    except LookupError:
        raise DataError(
            f"unknown encoding {stated!r}", where=str(path), mend="examples are utf-8, utf-16, gb18030, cp1252"
        ) from None
    with path.open("rb") as file:
        start = file.read(4)
    said = next((name for mark, name in _BOMS if start.startswith(mark)), None)
    if said and not codec.name.startswith(said) and not (said == "utf-16" and codec.name.startswith("utf-32")):
        raise DataError(
            f"the file's byte order mark says {said}, the source profile says {stated}",
            where=f"{path}:1",
            mend=f"set encoding: {said} in the source profile",
        )
    if codec.name == "utf-16" and said is None:
        found, told = _utf16(path)
        if (found.confidence or 0) < ENOUGH:
            raise DataError(
                f"utf-16 without a byte order mark, and the order cannot be told ({told})",
                where=str(path),
                mend="set encoding: utf-16-le or utf-16-be in the source profile",
            )
        return Encoding(found.name)
    family = _FAMILIES.get(codec.name)
    if family in ("gb18030", "cp1252"):
        found, told = detect(path)
        much = found.name == "utf-8" or len(re.findall(rb"[\x80-\xff]", _sample(path))) >= _MUCH
        if found.name != family and much and told != _ASCII and (found.confidence or 0) >= _CONTRADICTION:
            raise _contradicted(path, stated, found.name, f"{found.confidence} %: {told}")
    _hold_against_others(path, stated, codec.name)
    return Encoding(stated)


def _hold_against_others(path: Path, stated: str, codec: str) -> None:
    """Refuse a stated encoding where another one makes far more common text of the bytes."""
    page = alphabets.page_of(codec)
    sample = _sample(path)[:_WORDS] if page else b""
    if page is None or len(re.findall(rb"[\x80-\xff]", sample)) < _MUCH:
        return
    own = alphabets.reading(sample, page)
    if rival := alphabets.rival(sample, page):
        raise _contradicted(path, stated, rival.page, f"{rival}, {own}")
    signs = re.findall(r"[^\x00-\x7f]", sample.decode(codec, errors="ignore"))
    private = sum("\ue000" <= sign <= "\uf8ff" for sign in signs) / max(len(signs), 1)
    if private > _MOST_PRIVATE and own.share < 0.5:
        raise _contradicted(path, stated, "another one", f"{private * 100:.0f} % characters of private use, {own}")


def _contradicted(path: Path, stated: str, other: str, told: str) -> DataError:
    return DataError(
        f"the source profile says {stated}, the bytes look like {other} ({told})",
        where=str(path),
        mend="set encoding in the source profile to what the sender uses, or ask for another export",
    )


def _detected(path: Path, stated: str | tuple[str, ...]) -> Encoding:
    candidates = DETECTABLE if isinstance(stated, str) else stated
    found, told = detect(path, candidates)
    if (found.confidence or 0) < ENOUGH:
        raise DataError(
            f"the encoding cannot be told: likeliest is {found.name}, {found.confidence} % sure "
            f"where {ENOUGH} % are needed ({told})",
            where=str(path),
            mend=_MEND,
        )
    if not isinstance(stated, str):
        _hold_against_others(path, " or ".join(stated), codecs.lookup(found.name).name)
    return found


def _look(path: Path) -> tuple[bool, bool, bool, bool]:
    """Whether a file is ASCII only, holds NUL bytes, is UTF-8, and shows that by more than two accented letters.

    UTF-8 that shows itself may have cut characters.
    """
    ascii_only, nul, utf8, cut, letters, wide = True, False, True, False, 0, False
    decoder = codecs.getincrementaldecoder("utf-8")(_CUT)
    with path.open("rb") as file:
        piece = b"-"
        while piece and (utf8 or ascii_only):
            piece = file.read(_CHUNK)
            nul = nul or b"\0" in piece
            if piece.isascii() and decoder.getstate()[0] == b"":
                continue
            ascii_only = False
            try:
                text = decoder.decode(piece, final=not piece)
            except UnicodeDecodeError:
                utf8 = False
                break
            cut = cut or _MARK in text
            if not wide:
                text = text.replace(_MARK, "")
                letters += len(re.findall(r"[^\x00-\x7f]", text[:_SAMPLE]))
                wide = letters > 2 or re.search("[\u0800-\U0010ffff]", text) is not None
    return ascii_only, nul, utf8 and (wide or not cut), wide


def _utf16(path: Path) -> tuple[Encoding, str]:
    """The byte order of UTF-16 without a mark: the one in which there are ASCII characters."""
    with path.open("rb") as file:
        piece = file.read(_SAMPLE)
    plain = frozenset((9, 10, 13, *range(32, 127)))
    little = sum(not high and low in plain for low, high in zip(piece[::2], piece[1::2], strict=False))
    big = sum(not high and low in plain for high, low in zip(piece[::2], piece[1::2], strict=False))
    name, most = ("utf-16-le", little) if little >= big else ("utf-16-be", big)
    confidence = int(100 * most / (little + big)) if most and path.stat().st_size % 2 == 0 else 0
    return Encoding(name, confidence), f"{little} ASCII characters with the low byte first, {big} otherwise"


def _sample(path: Path) -> bytes:
    """Lines with bytes beyond ASCII, up to some size."""
    taken, size = [], 0
    with path.open("rb") as file:
        for line in _cut(iter(lambda: file.read(_CHUNK), b"")):
            if not line.isascii():
                taken.append(line)
                size += len(line)
                if size > _SAMPLE:
                    break
    return b"".join(line + b"\n" for line in taken)


def _cut(pieces: Iterable[bytes]) -> Iterable[bytes]:
    """Lines of pieces; one that is not ended after a megabyte is taken as it stands."""
    rest = b""
    for piece in pieces:
        *whole, rest = re.split(rb"[\r\n]", rest + piece)
        if len(rest) > _CHUNK:
            whole, rest = [*whole, rest], b""
        yield from whole
    yield rest


def _hanzi(sample: bytes) -> float | None:
    """Share of the characters beyond ASCII that are common in Chinese, read as GB18030; None where it is not that."""
    try:
        text = sample.decode("gb18030", errors=_CUT)
    except UnicodeDecodeError:
        return None
    signs = Counter(re.findall(r"[^\x00-\x7f]", text))
    total = sum(signs.values())
    return sum(count * _common(sign) for sign, count in signs.items()) / total if total else 0.0


def _common(sign: str) -> float:
    """1 for the 3,755 Hanzi of the first level of GB 2312 and for Chinese punctuation, half for the second level."""
    code = sign.encode("gb18030", errors="ignore")
    if len(code) != 2 or code[1] < 0xA1:
        return 0.0
    return 1.0 if 0xA1 <= code[0] <= 0xA3 or 0xB0 <= code[0] <= 0xD7 else 0.5 if 0xD8 <= code[0] <= 0xF7 else 0.0


def _could_be_hanzi(sample: bytes) -> bool:
    """Whether the few letters of a text in UTF-8 stand in no word, and are common Hanzi in GB18030."""
    in_word = re.search(r"[A-Za-z][\x80-\u07ff]|[\x80-\u07ff][A-Za-z]", sample.decode("utf-8", errors="replace"))
    return not in_word and (_hanzi(sample) or 0) * 100 >= ENOUGH


def _western(sample: bytes) -> float | None:
    """Share of the bytes beyond ASCII that stand as in words of Western languages; None where it is not cp1252."""
    try:
        sample.decode("cp1252")
    except UnicodeDecodeError:
        return None
    total = len(re.findall(rb"[" + _HIGH + rb"]", sample))
    fitting = sum(len(found) for found in _WESTERN.findall(sample)) - len(_AMID.findall(sample))
    return max(fitting, 0) / total if total else 0.0
