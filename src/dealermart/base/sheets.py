"""Cells that spreadsheet programs must not run as formulas."""

from __future__ import annotations

import re

# For xlsxwriter: what is written as text stays text.
TEXT_STAYS_TEXT = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}

_STARTS = ("=", "+", "-", "@", "\t", "\r")


def inert(cell: str, *, is_code: bool = False) -> str:
    """A cell of a text file; one that a spreadsheet program would run as a formula begins with an apostrophe.

    Args:
        is_code: A code or a name: also what looks like a number with a sign is text. Otherwise numbers stay numbers.
    """
    if cell[:1] in _STARTS and (is_code or not re.fullmatch(r"[+-]?[\d.,]+%?", cell)):
        return f"'{cell}"
    return cell
