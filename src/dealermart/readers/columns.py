"""Which column of a file is which: header texts against the names and aliases of a profile."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dealermart.base import DataError
from dealermart.config import TAKEN_COLUMNS, FileSpec

_MOST_COLUMNS = 2_000  # the time and the memory that the engine takes grow faster than their number

FIND_WITHIN = 30

# What a text can hold and nobody sees: soft hyphen, zero width space, direction marks, byte order mark and their like.
INVISIBLE = "".join(
    map(
        chr,
        (0xAD, 0x200B, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2060, 0x2065), *range(0x2066, 0x206A), 0xFEFF),
    )
)

# Invisible too, but inside a word of some scripts they carry meaning.
JOINERS = "\u180e\u200c\u200d"

# Full-width signs of ASCII and their space.
WIDE, NARROW = "".join(map(chr, range(0xFF01, 0xFF5F))) + "\u3000", "".join(map(chr, range(0x21, 0x7F))) + " "

_BLANKS = re.compile(f"[\\s{INVISIBLE}{JOINERS}]+")

_CODE = re.compile("(^|_)(id|code|no)$", re.IGNORECASE)


@dataclass(frozen=True)
class Columns:
    """The columns of a file.

    Attributes:
        names: Unique names, one per field of a record, in file order.
        headers: Per field the texts, in lower case, that a repeated header may show; empty where there is no header.
        absent: Columns that the profile names and the file may lack and lacks.
    """

    names: tuple[str, ...]
    headers: tuple[frozenset[str], ...] = ()
    absent: tuple[str, ...] = ()


def named(spec: FileSpec) -> tuple[str, ...]:
    """The canonical columns that a profile names."""
    return tuple(dict.fromkeys((*spec.columns, *spec.aliases, *spec.required_columns, *spec.key)))


def is_code(name: str) -> bool:
    """Whether a column's name says that it holds codes, which are compared letter by letter."""
    return _CODE.search(name) is not None


def positional(spec: FileSpec, where: str) -> Columns:
    """The columns of a file without a header: those of the profile, in order."""
    return resolve(spec.columns, spec, where)


def key(text: str) -> str:
    """What a header text is compared by: full-width signs are ASCII ones; case and white space do not count."""
    return _BLANKS.sub("", unicodedata.normalize("NFKC", text)).casefold()


def is_header(found: Sequence[str], spec: FileSpec) -> bool:
    """Whether a record holds the texts of all required columns."""
    keys = {key(text) for text in found}
    return all(
        any(key(text) in keys for text in (name, *spec.aliases.get(name, ())))
        for name in spec.required_columns or named(spec)
    )


def not_found(spec: FileSpec, best: Sequence[str], where: str) -> DataError:
    """The error for ``header: find`` without a header.

    Args:
        best: The record with most of the columns; no column may be in it.
    """
    keys = {key(text) for text in best}
    missing = [
        name
        for name in spec.required_columns or named(spec)
        if not any(key(text) in keys for text in (name, *spec.aliases.get(name, ())))
    ]
    return DataError(
        f"no header in the first {FIND_WITHIN} records; the likeliest one lacks {', '.join(missing)}",
        where=where,
        mend="add the text to aliases in the source profile, check delimiter and encoding, or ask for the column",
    )


def known(found: Sequence[str], spec: FileSpec) -> int:
    """How many of the texts stand for a column of the profile."""
    names = {key(text) for name in named(spec) for text in (name, *spec.aliases.get(name, ()))}
    return sum(key(text) in names for text in found)


def resolve(found: Sequence[str], spec: FileSpec, where: str) -> Columns:
    """Match header texts with the profile's columns.

    Args:
        found: Header texts in file order.

    Raises:
        DataError: a required column is missing, two header texts stand for one column, or there are too many.
    """
    if len(found) > _MOST_COLUMNS:
        raise DataError(
            f"there are {len(found):,} columns, more than {_MOST_COLUMNS:,}",
            where=where,
            mend="ask for a file with the columns that are needed; check delimiter in the source profile",
        )
    canonical = {key(text): name for name in reversed(named(spec)) for text in (name, *spec.aliases.get(name, ()))}
    texts = [text.strip() for text in found]
    matched = [canonical.get(key(text)) for text in texts]
    twice = sorted({name for name in matched if name is not None and matched.count(name) > 1})
    if twice:
        raise DataError(
            f"more than one column of the file stands for {', '.join(twice)}",
            where=where,
            mend="correct the aliases in the source profile, or the file",
        )
    needed = (*spec.required_columns, *spec.key) if spec.required_columns else named(spec)
    missing = [name for name in needed if name not in matched]
    if missing:
        # Where no text is known the line may not be a header at all but data, which no message shows.
        seen = (
            f"the file has: {shown(texts)}"
            if any(matched)
            else f"none of the {len(texts)} texts of its header is known"
        )
        raise DataError(
            f"required columns are missing: {', '.join(missing)}; {seen}",
            where=where,
            mend="add the text to aliases in the source profile, check delimiter and skip_rows (or set header: find), "
            "or ask for the column",
        )
    taken = {name.lower() for name in (*TAKEN_COLUMNS, *named(spec))}
    names = tuple(
        name or _unique(text or f"column_{index}", taken)
        for index, (text, name) in enumerate(zip(texts, matched, strict=True), start=1)
    )
    headers = tuple(
        frozenset(
            {text.lower()}
            | ({alias.strip().lower() for alias in (name, *spec.aliases.get(name, ()))} if name else set())
        )
        for text, name in zip(texts, matched, strict=True)
    )
    return Columns(names, headers, tuple(name for name in named(spec) if name not in matched))


def _unique(text: str, taken: set[str]) -> str:
    name, count = text, 1
    while name.lower() in taken:
        count += 1
        name = f"{text}_{count}"
    taken.add(name.lower())
    return name


def shown(texts: Iterable[str]) -> str:
    """Header texts for a message: short, because a file without the expected header may show anything."""
    shown = [text if len(text) <= 40 else f"{text[:40]}..." for text in texts if text]
    return ", ".join(shown[:50]) + (f" and {len(shown) - 50} more" if len(shown) > 50 else "") if shown else "none"
