"""Reviews of a quarter for people: ``dealermart review pull | pack``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dealermart.base import Settings, UsageError
from dealermart.cli.table import add, number, say, table

_READS = (
    "It reads the copy published for HR. What it writes holds reviews of people and lies in published/reviews of "
    "DEALERMART_HOME, in a folder per reader, closed to all others."
)


def register(commands: Any) -> None:
    """Add the command with its actions."""
    actions = add(commands, "review", review).add_subparsers(required=True, metavar="action")
    for name, action in (("pull", review_pull), ("pack", review_pack)):
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
        parser.add_argument(
            "--version",
            default="",
            help="a frozen version: V1; the names of people come from COPY (default: not frozen)",
        )
        if name == "pull":
            parser.add_argument("--pay", action="store_true", help="with a sheet of pay")
            parser.add_argument("--out", type=Path, metavar="FILE", help="write it to this .xlsx file")
        else:
            parser.add_argument(
                "--member", action="append", default=[], metavar="CODE", help="a member; may be repeated"
            )
            parser.add_argument(
                "--team", action="append", default=[], metavar="CODE", help="a manager; may be repeated"
            )
            parser.add_argument("--all", action="store_true", help="all members and all managers")
            parser.add_argument(
                "--pay",
                action=argparse.BooleanOptionalAction,
                help="with pay (default: in members' own packs, and not in those of teams)",
            )
            parser.add_argument("--pdf", action="store_true", help="a PDF beside each page; needs Chromium")
            parser.set_defaults(refuse=parser.error)


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

    wanted = Wanted(arguments.lang, arguments.pay, arguments.version)
    pulled = pull(config, _place(config, arguments), arguments.period, wanted, arguments.out)
    print(table(["sheet", "rows"], [[sheet, number(rows)] for sheet, rows in pulled.rows.items()], [False, True]))
    print(f"written: {pulled.path}")
    return 0


def review_pack(config: Settings, arguments: argparse.Namespace) -> int:
    """Write a page per member, and one per manager for the team."""
    from dealermart.review import Packs, pack

    if not (arguments.all or arguments.member or arguments.team):
        arguments.refuse("say whose: --member CODE, --team CODE, or --all")
    if arguments.all and (arguments.member or arguments.team):
        arguments.refuse("--all is everybody: leave --member and --team out")
    wanted = Packs(
        arguments.lang,
        arguments.member,
        arguments.team,
        everybody=arguments.all,
        pay=arguments.pay,
        pdf=arguments.pdf,
        version=arguments.version,
    )
    packed = pack(config, _place(config, arguments), arguments.period, wanted, say)
    paths = [*packed.members, *packed.teams]
    beside = ", each with its PDF" if packed.pdf else ""
    print(f"packs of members: {len(packed.members)}, of teams: {len(packed.teams)}{beside}")
    for path in paths if len(paths) <= _LISTED else [paths[0].parents[2]]:
        print(f"written: {path}")
    return 0


_LISTED = 10  # files that are named one by one


def _place(config: Settings, arguments: argparse.Namespace) -> Path:
    from dealermart import publish

    return arguments.place or config.published / "hr" / publish.FILE
