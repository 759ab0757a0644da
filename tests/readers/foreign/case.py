"""A file as another project's software writes it, and what must come of it, counted by the one who made it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

HEAD = ("Code", "Name", "From", "Limit", "City")
COLUMNS = ("dealer_id", "dealer_name", "valid_from", "credit_limit_amount", "city")
SPEC: dict[str, Any] = {
    "aliases": {name: [text] for name, text in zip(COLUMNS, HEAD, strict=True)},
    "required_columns": ["dealer_id", "dealer_name", "valid_from"],
}

Line = tuple[Any, ...]  # the cells of a record, or its number and its cells


@dataclass(frozen=True)
class Case:
    """One file.

    Attributes:
        id: Name of the file and of its entry in the profile.
        content: Its bytes, or who makes them.
        rows: Per row of the raw table the number of its record and its cells, in the order of ``columns``.
        structural: Records that are none: blank lines, totals, repeated headers.
        rejected: Records that cannot be read, each with a word of the reason.
        unmapped: Rows that are read and cannot be mapped, each with a word of the reason.
        held: Rows that are mapped and do not pass the checks.
        refused: A regular expression of the message, if the file as a whole cannot be taken.
        columns: Names of all columns that are read, in any order; the five of ``COLUMNS`` first.
        accepted: What the lake holds in the end, if it is written otherwise than in ``rows``.
        is_raw: Whether ``rows`` and ``rejected`` are those of the raw table. Otherwise it is left open whether reading or
            mapping rejects, and ``rows`` are those accepted in the end.
    """

    id: str
    content: bytes | Callable[[], bytes]
    rows: Sequence[Line] = ()
    structural: int = 0
    rejected: Mapping[int, str] = field(default_factory=dict)
    unmapped: Mapping[int, str] = field(default_factory=dict)
    held: Mapping[int, str] = field(default_factory=dict)
    refused: str = ""
    format: str = "csv"
    suffix: str = ""
    spec: Mapping[str, Any] = field(default_factory=dict)
    columns: Sequence[str] = COLUMNS
    accepted: Sequence[Line] | None = None
    is_raw: bool = True

    @property
    def file(self) -> str:
        return f"{self.id}.{self.suffix or self.format}"

    @property
    def records(self) -> int:
        out = 0 if self.is_raw else len(self.unmapped) + len(self.held)
        return len(self.rows) + self.structural + len(self.rejected) + out

    @property
    def profile(self) -> dict[str, Any]:
        return {"format": self.format, **SPEC, **self.spec}

    def made(self) -> bytes:
        return self.content if isinstance(self.content, bytes) else self.content()


def three(mark: str, city: str | None = "Wien") -> list[Line]:
    """Three good records, whose codes begin with ``mark``."""
    return [
        (f"{mark}1", "Alpha", "2026-01-01", "100", city),
        (f"{mark}2", "Beta & Sons", "2026-01-02", "2.5", city),
        (f"{mark}3", "Gamma", "2026-01-03", None, city),
    ]


def numbered(lines: Iterable[Line], first: int = 2) -> list[Line]:
    return [(number, *cells) for number, cells in enumerate(lines, first)]


def delimited(
    lines: Iterable[Line], delimiter: str = ",", end: str = "\n", head: Sequence[str] | None = HEAD, tail: str = ""
) -> str:
    """Lines without any quoting; ``tail`` stands at the end of each."""
    whole = [*([head] if head else []), *lines]
    return "".join(delimiter.join("" if cell is None else str(cell) for cell in line) + tail + end for line in whole)
