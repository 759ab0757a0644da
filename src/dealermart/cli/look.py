"""What ran and what is wrong: ``dealermart runs | doctor | report | alerts``."""

from __future__ import annotations

import argparse
import json
from typing import Any

from dealermart.base import Settings
from dealermart.cli.table import add, count, number, say, table


def register(commands: Any) -> None:
    """Add the commands of this module."""
    parser = add(commands, "report", report)
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--run", help="id of an ingest run (default: the last)")
    which.add_argument("--all", action="store_true", help="the pages of all runs")
    parser = add(commands, "runs", runs)
    parser.add_argument("--last", type=count, default=20, help="how many to show (default 20)")
    parser.add_argument("--command", dest="command_name", help="only runs of this command, such as build or erase")
    parser.add_argument("--json", action="store_true", help="everything that is known of them, as JSON")
    parser.add_argument(
        "--sql", help='query the table `runs` instead, such as "select command, count(*) from runs group by command"'
    )
    parser = add(commands, "doctor", doctor)
    parser.add_argument(
        "--deep", action="store_true", help="read every commit and look at every lake file as well; takes longer"
    )
    parser = add(commands, "alerts", alerts)
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--send", action="store_true", help="tell what is new to those whom config/alerts.yml names")
    how.add_argument("--test", metavar="CHANNEL", help="send a test message to a channel")


def report(config: Settings, arguments: argparse.Namespace) -> int:
    """Make the HTML pages on ingest runs again from the log."""
    from dealermart import lake, report

    print(report.run(config, arguments.run, arguments.all))
    if not lake.read(config).commits:
        say(str(lake.nothing_yet(config)))
    return 0


def runs(config: Settings, arguments: argparse.Namespace) -> int:
    """Show the run log."""
    from dealermart.base import query_runs, read_runs

    found = read_runs(config)
    if arguments.sql:
        names, rows = query_runs(config, arguments.sql)
        print(table(names, [["" if value is None else str(value) for value in row] for row in rows]))
        return 0
    recorded = sorted({run["command"] for run in found})
    found = [run for run in found if arguments.command_name in (None, run["command"])][-arguments.last :]
    if not found and not arguments.json:
        print(
            f"no runs of {arguments.command_name}; there are runs of: {', '.join(recorded)}"
            if recorded
            else "nothing ran yet: `dealermart ingest` or `make demo` is the first to do"
        )
        return 0
    if arguments.json:
        print(json.dumps(found, ensure_ascii=False, indent=1))
        return 0
    header = ["started", "command", "what", "user", "status", "seconds", *_COUNTS, "code"]
    print(table(header, [_line(run) for run in found]))
    for run in found:
        about = f"\n{run['started_at'][:19]} {run['command']}"
        if run.get("error"):
            print(f"{about}: {run['error']}")
        if refused := run.get("refused"):
            page = f"; all of it: {config.home / run['report']}" if run.get("report") else ""
            print(f"{about}: refused{page}")
            print("\n".join(f"  {error.splitlines()[0]}" for error in refused[:_NAMED]))
            if len(refused) > _NAMED:
                print(f"  and {len(refused) - _NAMED:,} more")
    return 0


# What is counted of a run, in the words of its report: rows in quarantine are those that could not be read or mapped
# and those that a rule holds back.
_COUNTS = ("files refused", "accepted", "in quarantine", "taken up")

_NAMED = 3  # refused files of a run that are named


def _line(run: dict[str, Any]) -> list[str]:
    """A run as a line of the table. Counts that a command does not have are empty."""
    files, rows = (value if isinstance(value := run.get(name), dict) else {} for name in ("files", "rows"))
    counts = [
        files["refused"] + files["unrecognised"] if "refused" in files else None,
        rows.get("accepted"),
        rows["rejected"] + rows["quarantined"] if "rejected" in rows else None,
        run.get("taken_up"),
    ]
    return [
        run["started_at"][:19],
        run["command"],
        " ".join(f"{name}={value}" for name, value in run["arguments"].items()),
        run["user"],
        run["status"],
        str(run.get("seconds", "")),
        *map(number, counts),
        run["code_version"],
    ]


def doctor(config: Settings, arguments: argparse.Namespace) -> int:
    """Look for what keeps the pipeline from working and for what waits for somebody, with mends."""
    from dealermart import upkeep

    findings = upkeep.examine(config, arguments.deep)
    for finding in findings:
        print(f"{finding.state:4} {finding.name}: {finding.text}")
        if finding.state != upkeep.OK:
            print(f"     mend: {finding.mend}")
    states = {finding.state for finding in findings}
    return 1 if upkeep.FAIL in states else 3 if upkeep.TODO in states else 0


def alerts(config: Settings, arguments: argparse.Namespace) -> int:
    """Show what somebody has to be told of: failed and missing runs, refused and late files, late marts."""
    from dealermart import alerts
    from dealermart.config import load_alerts

    rules = load_alerts(config)
    if arguments.test:
        taken = alerts.send_test(rules, arguments.test, alerts.addresses_of(rules))
        print(f"{arguments.test}: {'the message was taken' if taken else 'the message was not taken'}")
        return 0 if taken else 1
    if not arguments.send:
        found, last = alerts.find(config, rules), alerts.last_look(config)
        keys = {alert.key for alert in found}
        found += [alert for alert in alerts.kept(config) if alert.key not in keys]
        say(f"told last at {last[0]} UTC" if last else "nobody was told so far: the DAG watch or cron does (--send)")
    else:
        told = alerts.look(config, say=say)
        found = told.alerts
        for channel, sent in told.sent.items():
            print(f"told to {channel}: {len(sent)}")
        told.raise_for_failed()
    for alert in found:
        print(f"{alert.kind}: {alert.text('en')}")
    if not found:
        print("nothing to tell")
    return 3 if found else 0
