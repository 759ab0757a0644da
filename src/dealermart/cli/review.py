"""Reviews of a quarter for people: ``dealermart review pull | pack``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dealermart.base import Settings, UsageError
from dealermart.cli.table import add, number, table

_READS = (
    "It reads the copy published for HR. What it writes holds reviews of people and lies in published/reviews of "
    "DEALERMART_HOME, in a folder per reader, closed to all others."
)


def register(commands: Any) -> None:
    """Add the command with its actions."""
    actions = add(commands, "review", review).add_subparsers(required=True, metavar="action")
    for name, action in (("pull", review_pull),):
        parser = actions.add_parser(
            name, help=(action.__doc__ or "").rstrip("."), description=action.__doc__, epilog=_READS
        )
        parser.set_defaults(action=action)
        parser.add_argument("--period", required=True, metavar="QUARTER", help="quarter reviewed: 2026-Q3")
        parser.add_argument("--lang", choices=["en", "zh"], default="en", help="language (default en)")
        parser.add_argument(
            "--from",
            dest="place",
            type=Path,
            metavar="COPY",
            help="a DuckDB file or a folder of Parquet files (default: what is published for HR)",
        )
        if name == "pull":
            parser.add_argument("--pay", action="store_true", help="with a sheet of pay")
            parser.add_argument("--out", type=Path, metavar="FILE", help="write it to this .xlsx file")


def review(config: Settings, arguments: argparse.Namespace) -> int:
    """Make the workbook and the packs of a quarter's reviews."""
    action: Callable[[Settings, argparse.Namespace], int] = arguments.action
    try:
        return action(config, arguments)
    except UsageError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def review_pull(config: Settings, arguments: argparse.Namespace) -> int:
    """Write the workbook of a quarter for HR."""
    from dealermart.review import Wanted, pull

    wanted = Wanted(arguments.lang, arguments.pay)
    pulled = pull(config, _place(config, arguments), arguments.period, wanted, arguments.out)
    print(table(["sheet", "rows"], [[sheet, number(rows)] for sheet, rows in pulled.rows.items()], [False, True]))
    print(f"written: {pulled.path}")
    return 0


def _place(config: Settings, arguments: argparse.Namespace) -> Path:
    from dealermart import publish

    return arguments.place or config.published / "hr" / publish.FILE
