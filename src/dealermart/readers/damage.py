"""Text that was damaged before it was sent, or decoded with the wrong encoding: never taken for what it should be.

A spreadsheet damages too: it writes its errors as texts, and shortens a long code to a number with an exponent.
"""

from __future__ import annotations

import re

import numpy as np

from dealermart.base import literal

LOST = "a character was lost or cut in half before the file was sent (U+FFFD)"

CONTROL = "control characters that no text has: the encoding is not the one it was read in"

TWICE = "text that somebody decoded in the wrong encoding and saved like that"

ERROR = "an error of a spreadsheet stands there, such as #N/A or ########"

SHORTENED = "a spreadsheet shortened the code to a number such as 4.5E+11, and its digits are lost"

# As Excel and LibreOffice write them, in the languages in which they differ; #### is a column that was too narrow.
_ERRORS = (
    "REF|VALUE|DIV/0|NULL|NUM|SPILL|CALC|FIELD|BLOCKED|CONNECT|BUSY|UNKNOWN|PYTHON|EXTERNAL"
    "|BEZUG|WERT|ZAHL|ÜBERLAUF|VALEUR|NOMBRE|NUL|RIF|VALORE|VALOR|NÚM|NULO|ССЫЛКА|ЗНАЧ|ЧИСЛО|ПУСТО|ДЕЛ/0"
)

_ERROR = f"#¡?(?:{_ERRORS})!|#¿?(?:NAME|NOM|NOME|NOMBRE|ИМЯ)[?]|#(?:N/A|NV|N/D|Н/Д|GETTING_DATA)|###+|Err:[0-9]{{3}}"

_SHORTENED = r"[-+]?[0-9]+([.,][0-9]+)?[eE]\+[0-9]{1,3}"

# One of these stands in every text that is one of those two. A single byte is found ten times faster than two.
_MARKS = ((b"#", b"#"), (b":", b"Err:"), (b"+", b"E+"), (b"+", b"e+"))

# What the bytes 80 to BF of UTF-8 look like in cp1252 and latin-1.
_CONTINUED = "\x80-\xbf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ"

_UTF8_AS_CP1252 = f"[ÂÃ][{_CONTINUED}]|[â-é][{_CONTINUED}]{{2}}"

_GB_AS_CP1252 = "(?:[\xb0-\xd7][\xa1-\xff]){2,}"

_KNOWN = "锟斤拷|烫烫烫|屯屯屯"

_LOST = "\ufffd".encode()

_KNOWN_BYTES = tuple(sign.encode() for sign in _KNOWN.split("|"))

SUSPECT = f"[\ufffd\x80-\x84\x86-\x9f]|{_UTF8_AS_CP1252}|{_GB_AS_CP1252}|{_KNOWN}"

_RUN = re.compile(f"[â-é][{_CONTINUED}]{{2}}")

_GB = re.compile(f"(?<![\\w]){_GB_AS_CP1252}(?![\\w])")

_BYTES = {bytes([code]).decode("cp1252", errors="ignore"): code for code in range(0x80, 0xA0)}


def suspect(chunk: bytes) -> bool:
    """Whether something could be wrong with whole lines of UTF-8, by `SUSPECT` or by what a spreadsheet does; a fast
    look that takes some sound text along."""
    if any(first in chunk and mark in chunk for first, mark in _MARKS):
        return True
    if chunk.isascii():
        return False
    if _LOST in chunk or any(sign in chunk for sign in _KNOWN_BYTES):
        return True
    if b"\xc2" not in chunk and b"\xc3" not in chunk:
        return False
    # All the rest is made of U+0080 to U+00FF, two bytes each with C2 or C3 first.
    view = np.frombuffer(chunk + bytes(8), dtype=np.uint8)
    latin = np.flatnonzero((view == 0xC2) | (view == 0xC3))
    second, third = view[latin + 1], view[latin + 2]
    letter, control = view[latin] == 0xC3, (view[latin] == 0xC2) & (second < 0xA0) & (second != 0x85)
    continued = (third == 0xC2) | (third == 0xC5) | (third == 0xC6) | (third == 0xCB) | (third == 0xE2)
    four = [np.isin(view[latin + step], (0xC2, 0xC3)) for step in (2, 4, 6)]
    return bool(control.any() or (letter & continued).any() or (four[0] & four[1] & four[2]).any())


def error_sql(text: str) -> str:
    """SQL that says whether a trimmed text is an error of a spreadsheet."""
    return f"((prefix({text}, '#') or prefix({text}, 'Err:')) and regexp_full_match({text}, {literal(_ERROR)}))"


def shortened_sql(text: str) -> str:
    """SQL that says whether a trimmed text is a number that a spreadsheet shortened; in an amount it is in order."""
    return f"(contains({text}, '+') and regexp_full_match({text}, {literal(_SHORTENED)}))"


def reason(text: str) -> str | None:
    """Why a record's text is not what its sender meant; None where nothing speaks against it."""
    if "\ufffd" in text:
        return LOST
    if re.search("[\x80-\x84\x86-\x9f]", text):
        # Double decoding leaves such characters too, and says more.
        return TWICE if _twice(text) else CONTROL
    return TWICE if _twice(text) else None


def _twice(text: str) -> bool:
    if re.search(f"[ÂÃ][{_CONTINUED}]|{_KNOWN}", text):
        return True
    if any(_is_text(_undone(found), "utf-8") for found in _RUN.findall(text)):
        return True
    return any(_is_text(_undone(found), "gb2312") for found in _GB.findall(text))


def _undone(text: str) -> bytes:
    return bytes(_BYTES.get(sign, ord(sign) & 0xFF) for sign in text)


def _is_text(code: bytes, encoding: str) -> bool:
    """Whether bytes are common Hanzi or typographic signs, as damaged texts turn out to be."""
    try:
        text = code.decode(encoding)
        return all(sign in "–—‘’“”…€™•" or 0xA1 <= sign.encode("gb2312")[0] <= 0xD7 for sign in text)
    except UnicodeError:
        return False
