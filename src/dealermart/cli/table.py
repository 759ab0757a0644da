"""What commands share: text tables, words on the way, and values of arguments."""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import sys
import unicodedata
from collections.abc import Callable, Sequence
from typing import Any

from dealermart.base import Settings

Command = Callable[[Settings, argparse.Namespace], int]


def add(commands: Any, name: str, command: Command) -> argparse.ArgumentParser:
    """Add a command with its docstring as help; gives its parser, to add arguments to."""
    parser: argparse.ArgumentParser = commands.add_parser(
        name, help=(command.__doc__ or "").rstrip("."), description=command.__doc__
    )
    parser.set_defaults(command=command)
    return parser


def table(header: Sequence[str], rows: Sequence[Sequence[str]], numbers: Sequence[bool] | None = None) -> str:
    """Text table; columns that hold numbers only are set right, or those of which ``numbers`` says it."""
    cells = [list(header), *(list(row) for row in rows)]
    widths = [max(text_width(row[index]) for row in cells) for index in range(len(header))]
    right = numbers or [
        bool(rows) and all(row[index].replace(",", "").replace(".", "").isdigit() or not row[index] for row in rows)
        for index in range(len(header))
    ]

    def line(row: Sequence[str]) -> str:
        padded = [
            " " * (width - text_width(cell)) + cell if flag else cell + " " * (width - text_width(cell))
            for cell, width, flag in zip(row, widths, right, strict=True)
        ]
        return "  ".join(padded).rstrip()

    return "\n".join([line(cells[0]), "  ".join("-" * width for width in widths), *(line(row) for row in cells[1:])])


def text_width(text: str) -> int:
    """Columns that a terminal needs: Chinese characters take two."""
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)


def number(value: int | None) -> str:
    """A count for people; nothing where it is not known."""
    return "" if value is None else f"{value:,}"


def say(text: str) -> None:
    """A word on the way, beside the result. That nobody listens any more does not stop the work."""
    with contextlib.suppress(BrokenPipeError):
        print(text, file=sys.stderr, flush=True)


def day(text: str) -> dt.date:
    """A date as an argument."""
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date written like 2026-03-02") from None


def moment(text: str) -> dt.datetime:
    """A moment as an argument, in UTC without zone."""
    try:
        given = dt.datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a moment written like 2026-03-02T18:00:00 (UTC)") from None
    try:
        return given.astimezone(dt.UTC).replace(tzinfo=None) if given.tzinfo else given
    except OverflowError:
        raise argparse.ArgumentTypeError(f"{text!r} lies outside of the calendar") from None


def count(text: str) -> int:
    """A whole number above 0 as an argument."""
    if not text.isdigit() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)
