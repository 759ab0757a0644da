"""The kinds of frozen sets: which marts are closed together (``kinds.yml`` beside this file)."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from dealermart.base import UsageError
from dealermart.config import Strict, load_yaml


class Kind(Strict):
    """What is frozen together.

    Attributes:
        versions: Whether a period is closed once, or a later change makes a new version.
        due: The mart whose periods are to be closed.
        tables: Mart, or the beginning of several with ``*`` -> which of its rows belong to the period, in SQL.
        checks: What must hold among the frozen rows -> SELECT of the rows for which it does not.
    """

    versions: Literal["once", "anew"]
    due: str
    tables: dict[str, str]
    checks: dict[str, str] = {}

    def of(self, marts: list[str]) -> dict[str, str]:
        """The tables of this kind among ``marts``, in the order of the file, each with the rows of a period in SQL."""
        found: dict[str, str] = {}
        for pattern, rows in self.tables.items():
            named = pattern.removesuffix("*")
            for mart in [pattern] if named == pattern else sorted(name for name in marts if name.startswith(named)):
                found.setdefault(mart, rows)
        return found


class Kinds(Strict):
    """The file."""

    kinds: dict[str, Kind]


def kind_names() -> list[str]:
    """The kinds that there are."""
    return list(_kinds())


def kind_of(name: str) -> Kind:
    """One kind.

    Raises:
        UsageError: there is none of this name.
    """
    try:
        return _kinds()[name]
    except KeyError:
        raise UsageError(f"there is no kind {name!r} of closing", mend=f"one of: {', '.join(_kinds())}") from None


def _kinds() -> dict[str, Kind]:
    return load_yaml(Path(__file__).with_name("kinds.yml"), Kinds).kinds
