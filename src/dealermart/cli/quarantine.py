"""The quarantine as people work in it: ``dealermart quarantine list | show | export | release | reject``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dealermart.base import Settings
from dealermart.cli.table import add, day, number, say, table

if TYPE_CHECKING:
    from dealermart.ingest import Choice


def register(commands: Any) -> None:
    """Add the command with its actions."""
    actions = add(commands, "quarantine", quarantine).add_subparsers(required=True, metavar="action")
    for name, action in (
        ("list", quarantine_list),
        ("show", quarantine_show),
        ("export", quarantine_export),
        ("release", quarantine_release),
        ("reject", quarantine_reject),
    ):
        parser = actions.add_parser(name, help=(action.__doc__ or "").rstrip("."), description=action.__doc__)
        parser.set_defaults(action=action)
        parser.add_argument("--source", help="only rows of this source")
        parser.add_argument("--feed", help="only rows of this feed")
        parser.add_argument("--file", help="only rows of this file, as it was delivered")
        parser.add_argument("--received", type=day, help="only rows of files received on this day")
        parser.add_argument("--entry", help="only rows of files that this entry of the profile takes")
        parser.add_argument("--rule", help="only rows that this rule holds back (also: map, read)")
        parser.add_argument(
            "--state",
            choices=["open", "waiting", "taken_up", "mapped_again", "released", "rejected", "corrected"],
            help="only rows in this state",
        )
        parser.add_argument("--rows", help="only these rows of the file, such as 5,9-12")
        if name == "show":
            parser.add_argument("--values", action="store_true", help="show the records as they were delivered, too")
            parser.add_argument("--limit", type=int, default=50, help="how many to show (default 50)")
        if name == "export":
            parser.add_argument("--out", type=Path, required=True, help="file to write, .xlsx or .csv")
        if name in ("release", "reject"):
            parser.add_argument("--by", required=True, help="who decides")
            parser.add_argument("--reason", required=True, help="why")


def quarantine(config: Settings, arguments: argparse.Namespace) -> int:
    """See, correct, release or reject the rows that were held back."""
    from dealermart import ingest

    names = ("source", "feed", "file", "received", "entry", "rule", "state", "rows")
    choice = ingest.Choice(**{name: getattr(arguments, name) for name in names})
    action: Callable[[Settings, argparse.Namespace, Choice], int] = arguments.action
    return action(config, arguments, choice)


def quarantine_list(config: Settings, arguments: argparse.Namespace, choice: Choice) -> int:
    """Count them by file, rule and state."""
    from dealermart import ingest

    lines = ingest.listing(config, choice)
    rows = [
        [line.received.isoformat(), line.source, line.feed, line.file, line.rule, line.state, number(line.rows)]
        for line in lines
    ]
    if not rows:
        print("no such rows")
        return 0
    print(table(["received", "source", "feed", "file", "rule", "state", "rows"], rows))
    counts = ingest.states(config, choice)
    said = ", ".join(f"{number(count)} {state}" for state, count in counts.items())
    print(f"{number(sum(counts.values()))} rows: {said}. A row that several rules hold back stands in a line of each.")
    return 0


def quarantine_show(config: Settings, arguments: argparse.Namespace, choice: Choice) -> int:
    """Show single rows with what is wrong with them; their values with --values only."""
    from dealermart import ingest

    found = ingest.rows(config, choice)
    for row in found[: arguments.limit]:
        place = f"{row.file}:{row.row_number}" + (f" part {row.row_part}" if row.row_part > 1 else "")
        decided = f" by {row.decided_by}, {row.why}" if row.decided_by else ""
        when = f" at {row.decided_at:%Y-%m-%d %H:%M:%S} UTC{decided}" if row.decided_at else ""
        waits = f" for {row.waits_for}" if row.state == "waiting" and row.waits_for else ""
        print(f"{place} ({row.feed}, received {row.received}): {row.reasons} [{row.rules}], {row.state}{waits}{when}")
        if arguments.values:
            print(f"  {row.record}")
    if len(found) > arguments.limit:
        print(f"and {len(found) - arguments.limit:,} more; --limit shows more of them")
    if not found:
        print("no such rows")
    return 0


def quarantine_export(config: Settings, arguments: argparse.Namespace, choice: Choice) -> int:
    """Write them to a file for correction; it comes back as a delivery."""
    from dealermart import ingest

    done = ingest.export(config, choice, arguments.out)
    print(f"{done.records} records written to {arguments.out}")
    if done.unreadable:
        print(f"{done.unreadable} more could not be read and have no columns; correct them in the delivered file")
    print(f"corrected, put it into {done.back} and ingest that date")
    return 0


def quarantine_release(config: Settings, arguments: argparse.Namespace, choice: Choice) -> int:
    """Let them in in spite of the rules."""
    from dealermart import ingest

    done = ingest.release(config, choice, arguments.by, arguments.reason, say=say)
    more = f", {done.taken_up} rows that waited for them taken up" if done.taken_up else ""
    print(f"{done.rows} rows released{more}")
    if done.left:
        print(
            f"{done.left} rows were not: they do not map to their feed, or have no key\n"
            "  mend: correct them with `dealermart quarantine export`, or reject them",
            file=sys.stderr,
        )
    return 3 if done.left else 0


def quarantine_reject(config: Settings, arguments: argparse.Namespace, choice: Choice) -> int:
    """Close them for good."""
    from dealermart import ingest

    print(f"{ingest.reject(config, choice, arguments.by, arguments.reason, say=say).rows} rows rejected")
    return 0
