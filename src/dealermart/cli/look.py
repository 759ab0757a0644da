"""What ran and what is wrong: ``dealermart runs | doctor | report``."""

from __future__ import annotations

import argparse
import json
from typing import Any

from dealermart.base import Settings
from dealermart.cli.table import add, count, number, table


def register(commands: Any) -> None:
    """Add the commands of this module."""
    parser = add(commands, "report", report)
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--run", help="id of an ingest run (default: the last)")
    which.add_argument("--all", action="store_true", help="the pages of all runs")
    parser = add(commands, "runs", runs)
    parser.add_argument("--last", type=count, default=20, help="how many to show (default 20)")
    parser.add_argument(
        "--command",
        dest="command_name",
        choices=["fetch", "ingest", "release", "reject", "build", "publish", "rebuild", "compact"],
        help="only runs of this command",
    )
    parser.add_argument("--json", action="store_true", help="everything that is known of them, as JSON")
    parser.add_argument(
        "--sql", help='query the table `runs` instead, such as "select command, count(*) from runs group by command"'
    )
    add(commands, "doctor", doctor)


def report(config: Settings, arguments: argparse.Namespace) -> int:
    """Make the HTML pages on ingest runs again from the log."""
    from dealermart import report

    print(report.run(config, arguments.run, arguments.all))
    return 0


def runs(config: Settings, arguments: argparse.Namespace) -> int:
    """Show the run log."""
    from dealermart.base import query_runs, read_runs

    found = read_runs(config)
    if arguments.sql:
        names, rows = query_runs(config, arguments.sql)
        print(table(names, [["" if value is None else str(value) for value in row] for row in rows]))
        return 0
    found = [run for run in found if arguments.command_name in (None, run["command"])][-arguments.last :]
    if arguments.json:
        print(json.dumps(found, ensure_ascii=False, indent=1))
        return 0
    print(
        table(
            ["started", "command", "what", "user", "status", "seconds", "accepted", "quarantined", "code"],
            [
                [
                    run["started_at"][:19],
                    run["command"],
                    " ".join(f"{name}={value}" for name, value in run["arguments"].items()),
                    run["user"],
                    run["status"],
                    str(run.get("seconds", "")),
                    number(run.get("rows", {}).get("accepted")),
                    number(run.get("rows", {}).get("quarantined")),
                    run["code_version"],
                ]
                for run in found
            ],
        )
    )
    for run in found:
        if run.get("error"):
            print(f"\n{run['started_at'][:19]} {run['command']}: {run['error']}")
    return 0


def doctor(config: Settings, arguments: argparse.Namespace) -> int:
    """Look for what keeps the pipeline from working, with mends."""
    from dealermart import upkeep

    findings = upkeep.examine(config)
    for finding in findings:
        print(f"{'ok  ' if finding.ok else 'FAIL'} {finding.name}: {finding.text}")
        if not finding.ok:
            print(f"     mend: {finding.mend}")
    return 0 if all(finding.ok for finding in findings) else 1
