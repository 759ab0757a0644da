"""Text files in any encoding as UTF-8, in a stream."""

from __future__ import annotations

import codecs
from pathlib import Path

from dealermart.errors import DataError
from dealermart.readers.survey import not_encoded

_CHUNK = 1024 * 1024


def as_utf8(path: Path, encoding: str, work: Path) -> Path:
    """The file itself where it is in UTF-8, else a copy in ``work`` in UTF-8 (the caller removes it).

    Raises:
        DataError: an encoding that Python does not know, a byte order mark of another one, or bytes that are not in it,
            with the line.
    """
    try:
        codec = codecs.lookup(encoding)
        "".encode(encoding)  # refuses codecs that are not of text
    except LookupError:
        raise DataError(
            f"unknown encoding {encoding!r}", where=str(path), mend="examples are utf-8, utf-16, gb18030, cp1252"
        ) from None
    with path.open("rb") as file:
        mark = file.read(4)
    said = (
        "utf-8"
        if mark.startswith(codecs.BOM_UTF8)
        else "utf-16"
        if mark[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
        else None
    )
    if said and not codec.name.startswith(said) and not (said == "utf-16" and codec.name.startswith("utf-32")):
        raise DataError(
            f"the file's byte order mark says {said}, the source profile says {encoding}",
            where=f"{path}:1",
            mend=f"set encoding: {said} in the source profile",
        )
    if codec.name in ("utf-8", "utf-8-sig"):
        return path
    copy = work / f"{path.name}.utf8"
    decoder, line = codec.incrementaldecoder("strict"), 1
    with path.open("rb") as source, copy.open("w", encoding="utf-8", newline="") as into:
        first = True
        while True:
            piece = source.read(_CHUNK)
            try:
                text = decoder.decode(piece, final=not piece)
            except UnicodeDecodeError as error:
                copy.unlink()
                good = error.object[: error.start].decode(error.encoding, errors="ignore")
                raise not_encoded(path, line + good.count("\n"), encoding) from None
            into.write(text.removeprefix("\ufeff") if first else text)
            first = first and not text
            line += text.count("\n")
            if not piece:
                return copy
