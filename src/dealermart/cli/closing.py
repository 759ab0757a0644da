"""Closed periods: ``dealermart close | payroll | audit``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from dealermart.base import Settings, UsageError
from dealermart.cli.table import add, number, say, table


def register(commands: Any) -> None:
    """Add the commands of this module."""
    parser = add(commands, "close", close)
    parser.add_argument("--kind", default="pay", help="what is closed: pay (default) or review")
    parser.add_argument("--period", required=True, help="fiscal period, such as 2026-M03 or 2026-Q1")
    parser.add_argument("--by", default="", help="who closes it")
    parser.add_argument("--reason", default="", help="why; it stands in the closed folder and names no person")
    parser.add_argument("--waive", action="append", default=[], metavar="GATE", help="let a gate stay unpassed")
    parser.add_argument(
        "--waive-reason", action="append", default=[], metavar="TEXT", help="why, once for each --waive"
    )
    parser.add_argument("--new-version", action="store_true", help="freeze a closed review again, beside the old one")
    parser.add_argument("--dry-run", action="store_true", help="show the gates; close nothing")
    parser = add(commands, "payroll", payroll)
    parser.add_argument("--period", required=True, help="a closed period, such as 2026-Q1")
    parser.add_argument("--format", choices=["csv", "xlsx"], default="csv", help="of the files (default csv)")
    parser.add_argument("--out", type=Path, required=True, help="folder for the files")
    audit = commands.add_parser(
        "audit",
        help="Look whether what is closed is as it was",
        description="Look whether what is closed is as it was.",
    ).add_subparsers(required=True, metavar="what")
    add(audit, "verify", verify)


def close(config: Settings, arguments: argparse.Namespace) -> int:
    """Close a period: what was paid stays paid."""
    from dealermart import closing

    if len(arguments.waive) != len(arguments.waive_reason):
        raise UsageError("each --waive needs a --waive-reason", mend="give them in pairs")
    waivers = dict(zip(arguments.waive, arguments.waive_reason, strict=True))
    asked = closing.Asked(
        arguments.kind, arguments.period, arguments.by, arguments.reason, waivers, arguments.new_version
    )
    if arguments.dry_run:
        gates = closing.examine(config, asked)
        print(table(["gate", "", "what was found"], [[gate.name, _state(gate), gate.text] for gate in gates]))
        for gate in gates:
            if not gate.passed:
                print(f"{gate.name}\n  mend: {gate.mend}")
        return 0 if all(gate.passed for gate in gates) else 1
    done = closing.close(config, asked, say=say)
    print(table(["table", "rows"], [[name, number(rows)] for name, rows in done.rows.items()]))
    for name in done.waived:
        print(f"waived by {arguments.by}: {name}")
    print(f"closed: {config.closed / done.folder}")
    print(f"hash: {done.hash}")
    return 0


def _state(gate: Any) -> str:
    return "passed" if gate.passed else "may be waived" if gate.may_be_waived else "shut"


def payroll(config: Settings, arguments: argparse.Namespace) -> int:
    """Write the payouts of a closed period for payroll, with control totals."""
    from dealermart import closing

    done = closing.payroll(config, arguments.period, arguments.out, arguments.format)
    rows = [[currency, number(count), f"{amount:,}"] for currency, (count, amount) in done.totals.items()]
    print(table(["currency", "rows", "amount"], rows))
    for path in done.files:
        print(path)
    return 0


def verify(config: Settings, arguments: argparse.Namespace) -> int:
    """Look at every closed folder: changed, removed and added files, removed folders, folders out of the chain."""
    from dealermart import frozen

    flaws = frozen.verify(config)
    for flaw in flaws:
        print(flaw)
    if not flaws:
        folders = frozen.chain(config)
        print(table(["folder", "closed at (UTC)", "by", "hash"], [_line(folder) for folder in folders]))
        print(f"{len(folders)} closed folders are what was closed")
    return 1 if flaws else 0


def _line(folder: Any) -> list[str]:
    return [folder.name, folder.manifest["closed_at"][:16], folder.manifest["by"], folder.hash[:16]]
