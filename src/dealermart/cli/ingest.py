"""Bringing files in: ``dealermart ingest``, ``dealermart fetch``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dealermart.base import Settings
from dealermart.cli.table import add, day, moment, number, say, table

if TYPE_CHECKING:
    from dealermart.ingest import Verified


def register(commands: Any) -> None:
    """Add the commands of this module."""
    parser = add(commands, "ingest", ingest)
    parser.add_argument("--source", required=True, help="a source of config/sources")
    parser.add_argument(
        "--received", required=True, type=day, help="the day on which the files were received, such as 2026-03-02"
    )
    parser.add_argument(
        "--drop", type=Path, help="folder with the files (default: inbox/<source>/<received> in the home)"
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="show what would be read, mapped and refused; change nothing"
    )
    parser.add_argument(
        "--verify",
        action="store_true",
        help="with --dry-run: read all files with a second reader as well, and say where the two differ",
    )
    parser.add_argument(
        "--ingested-at", type=moment, help="moment of learning in UTC, for loading history (default: now)"
    )
    parser.add_argument(
        "--override", action="append", default=[], metavar="RULE", help="take files that this rule refuses"
    )
    parser.add_argument("--file", action="append", metavar="NAME", help="only these of them (name or pattern)")
    parser.add_argument("--by", default="", metavar="NAME", help="who decides so; kept in the log")
    parser.add_argument("--reason", default="", metavar="TEXT", help="why; kept in the log")
    parser.set_defaults(refuse=parser.error)
    parser = add(commands, "fetch", fetch)
    parser.add_argument("--source", required=True, help="a source of config/sources")
    parser.add_argument("--since", type=moment, help="of a CRM: what was changed from this moment (UTC), once more")
    parser.add_argument("--until", type=moment, help="of a CRM: and before this one")
    parser.add_argument("--sweep", action="store_true", help="of a CRM: compare all ids, which finds what is gone")


def ingest(config: Settings, arguments: argparse.Namespace) -> int:
    """Take in what a source delivered on one day."""
    from dealermart import ingest
    from dealermart.ingest import Override, Verifier, raise_for_differences

    if arguments.verify and not arguments.dry_run:
        arguments.refuse("--verify goes with --dry-run: it compares what would be read and takes nothing in")
    verifier = Verifier() if arguments.verify else None
    decided = [
        Override(rule, arguments.by, arguments.reason, file)
        for rule in arguments.override
        for file in arguments.file or ["*"]
    ]
    result = ingest.run(
        config,
        arguments.source,
        arguments.received,
        arguments.drop,
        verifier or arguments.dry_run,
        arguments.ingested_at,
        say=say,
        decided=decided,
    )
    columns = ("records", "structural", "rejected", "mapped", "accepted", "quarantined", "duplicate")
    if arguments.dry_run:
        print("dry run: nothing was changed")
    if not result.files and not result.left:
        print(f"{result.source} delivered nothing on {result.received}")
    else:
        rows = [
            [file.file, file.feed or file.entry or "", file.status, *(number(getattr(file, name)) for name in columns)]
            for file in result.files
        ]
        total = ["total", "", "", *(number(sum(getattr(file, name) or 0 for file in result.files)) for name in columns)]
        print(table(["file", "feed", "status", *columns], [*rows, total]))
    if result.undelivered:
        print(f"not delivered: {', '.join(result.undelivered)}")
    for text in result.late:
        print(text, file=sys.stderr)
    for moved in result.taken_up:
        rows_up = number((moved.accepted or 0) + (moved.duplicate or 0))
        print(f"{moved.file} (received {moved.received}): {rows_up} rows that had waited in quarantine taken up")
    if result.ignored:
        print(f"{len(result.ignored)} files ignored as the profile says")
    for file in result.files:
        if file.confidence is not None:
            print(f"{file.file}: read as {file.encoding}, detected with {file.confidence} % confidence")
    for file in result.files:
        for kind, count in file.apart.items():
            print(f"{file.file}: {count} rows are no record of {file.feed} ({kind})", file=sys.stderr)
        for text in file.notes:
            print(f"{file.file}: {text}", file=sys.stderr)
        for note in file.drift:
            print(f"{file.file}: {note['text']}", file=sys.stderr)
        for rule in file.overridden:
            print(f"{file.file}: taken although {rule} refuses it, as {arguments.by} decided", file=sys.stderr)
        for fault in file.faults:
            where = f"{file.file}:{fault['first_row']}"
            print(
                f"{where}: {fault['reason']} ({fault['rows']} rows in quarantine, rule {fault['rule']})",
                file=sys.stderr,
            )
    if any(file.faults and file.status == "accepted" for file in result.files):
        print(
            "  mend: correct these rows at their source and deliver them again, or, where the profile is wrong, "
            f"correct config/sources/{result.source} and run the same command again; the others went through",
            file=sys.stderr,
        )
    for file in result.files:
        if file.held:
            print(
                f"{file.file}: taken before; {number(file.held)} of its rows were not. They are taken up when this "
                "command runs after the profile was changed so that they map; "
                f"`dealermart quarantine list --file {file.file}` shows why",
                file=sys.stderr,
            )
    if any(fault["rule"] == "rate_unknown" for file in result.files for fault in file.faults):
        print(
            f"  mend: rows without a rate are taken up when it comes; if {config.company_file} is not the company of "
            f"{result.source}, name its file in DEALERMART_COMPANY",
            file=sys.stderr,
        )
    for text in result.left:
        print(text, file=sys.stderr)
    verified = verifier.finish(result.files) if verifier else []
    _print_verified(verified)
    result.raise_for_refused()
    raise_for_differences(verified)
    return 3 if result.left or any(file.faults for file in result.files) else 0


def _print_verified(verified: Sequence[Verified]) -> None:
    """What a second reader saw. Values stand on the screen of who asked for them, and in no message or log."""
    for found in verified:
        if found.why:
            print(f"{found.file}: not compared with a second reader: {found.why}")
        elif not found.count:
            print(f"{found.file}: a second reader sees the same {number(found.records)} records")
        else:
            print(f"{found.file}: a second reader differs in {number(found.count)} places:")
        for differs in found.shown:
            where = ", ".join(filter(None, (f"record {differs.number}" if differs.number else "", differs.column)))
            print(f"  {where or 'the file'}: read {differs.first}, the second reader {differs.second}")
        if found.count > len(found.shown):
            print(f"  and {number(found.count - len(found.shown))} more")


def fetch(config: Settings, arguments: argparse.Namespace) -> int:
    """Bring new files of a source into its inbox from where its profile says they come from."""
    from dealermart import landing

    asked = landing.asked_of({"since": arguments.since, "until": arguments.until, "sweep": arguments.sweep})
    result = landing.fetch(config, arguments.source, say=say, asked=asked)
    print(f"{arguments.source}: {len(result.fetched)} files fetched, {len(result.left)} left for the next time")
    for text in result.left:
        print(text, file=sys.stderr)
    for received in sorted({received for received, _ in result.fetched}):
        print(f"now: dealermart ingest --source {arguments.source} --received {received}")
    return 0
