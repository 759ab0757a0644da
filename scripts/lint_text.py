"""What the project's rules share: a finding, and the text of an SQL file without what is no SQL."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One broken rule: its name, the place, what is wrong and how to mend it."""

    rule: str
    where: str
    what: str
    mend: str

    def __str__(self) -> str:
        return f"{self.where}: [{self.rule}] {self.what}\n    mend: {self.mend}"


PIECES = re.compile(
    # A text inside Jinja may hold braces of its own.
    r"(?P<jinja>\{\{(?:'[^']*'|\"[^\"]*\"|[^'\"])*?\}\}|\{%(?:'[^']*'|\"[^\"]*\"|[^'\"])*?%\})|(?P<quiet>\{#.*?#\}|--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\")",
    re.DOTALL,
)


def code(sql: str) -> str:
    """The SQL with comments and quoted text blanked; Jinja stays, because its quoted arguments become SQL."""
    return PIECES.sub(lambda piece: piece.group() if piece.group("jinja") else blank(piece), sql)


def blank(piece: re.Match[str] | str) -> str:
    """Spaces in its place, so that lines and columns stay."""
    return re.sub(r"[^\n]", " ", piece if isinstance(piece, str) else piece.group())
