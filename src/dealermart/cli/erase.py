"""``dealermart erase``: values of a person, or those older than their feed's retention."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from dealermart.base import Settings
from dealermart.cli.table import add, day, number, say, table


def register(commands: Any) -> None:
    """Add the command of this module."""
    parser = add(commands, "erase", erase)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--person", help="our code of the person, such as M017")
    what.add_argument(
        "--retention", action="store_true", help="what is older than retention_months of company.yml says"
    )
    parser.add_argument(
        "--kind",
        choices=["member", "dealer_employee", "respondent"],
        default="member",
        help="whose code it is (default member)",
    )
    parser.add_argument(
        "--also", action="append", default=[], help="one more text that tells who it is; may be given again"
    )
    parser.add_argument("--until", type=day, help="the day on which the retention is judged (default today)")
    parser.add_argument("--by", required=True, help="who decides")
    parser.add_argument("--reason", required=True, help="why, without naming the person: it stands in the log")
    parser.add_argument("--dry-run", action="store_true", help="show what would be erased; change nothing")


def erase(config: Settings, arguments: argparse.Namespace) -> int:
    """Erase values of a person, or those that are older than the retention of their feed."""
    from dealermart import upkeep
    from dealermart.base import utc_now

    until = (arguments.until or utc_now().date()) if arguments.retention else None
    wanted = upkeep.Wanted(arguments.person, arguments.kind, tuple(arguments.also), until)
    result = upkeep.erase(config, wanted, arguments.by, arguments.reason, arguments.dry_run, say=say)
    if arguments.dry_run:
        print("dry run: nothing was changed")
    if result.rows:
        print(table(["feed", "rows"], [[feed, number(rows)] for feed, rows in result.rows.items()]))
    print(f"{number(result.deliveries)} deliveries rewritten, {number(result.files)} files removed")
    for name in result.named_in:
        print(f"{name} names the person in words that somebody wrote; it was not changed", file=sys.stderr)
    for folder, rows in result.closed.items():
        print(
            f"closed/{folder}: {number(rows)} rows with the person's code stay: what was paid or rated is never changed"
        )
    if (built := upkeep.renew(config, result, say)) is not None:
        print(f"marts rebuilt: {built.models} models, {built.tests} tests passed, as of {built.as_of}")
        print("served copies, where there were any, replaced and the ones before removed")
    return 0
