"""The ``dealermart`` command: what DAGs do, for people.

Exit codes: 0 done; 1 a fault that the message explains; 2 wrong usage; 3 done, and some rows are in quarantine or some
files are left for the next run.
"""

from __future__ import annotations

import argparse
import datetime as dt
import errno
import json
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from dealermart import __version__, settings
from dealermart.errors import DealermartError
from dealermart.settings import Settings

if TYPE_CHECKING:
    from dealermart import desk


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    arguments = _parser().parse_args(argv)
    try:
        command: Callable[[Settings, argparse.Namespace], int] = arguments.command
        return command(settings.load(), arguments)
    except DealermartError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except OSError as error:  # no room, no right, no such disk: the text names the path and holds no data
        reason = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        mend = "make room" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "see that DEALERMART_HOME can be written"
        print(f"error: {reason}\n  mend: {mend}; nothing half done is visible, run it again", file=sys.stderr)
        return 1
    except (duckdb.IOException, duckdb.OutOfMemoryException, duckdb.InvalidInputException) as error:
        print(f"error: {_engine_fault(error)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped; nothing half done is visible, the same command can be run again", file=sys.stderr)
        return 1


def ingest(config: Settings, arguments: argparse.Namespace) -> int:
    """Take in what a source delivered on one day."""
    from dealermart import ingest as work
    from dealermart.overrides import Override

    decided = [
        Override(rule, arguments.by, arguments.reason, file)
        for rule in arguments.override
        for file in arguments.file or ["*"]
    ]
    result = work.run(
        config,
        arguments.source,
        arguments.received,
        arguments.drop,
        arguments.dry_run,
        arguments.ingested_at,
        say=_say,
        decided=decided,
    )
    columns = ("records", "structural", "rejected", "mapped", "accepted", "quarantined", "duplicate")
    if arguments.dry_run:
        print("dry run: nothing was changed")
    if not result.files and not result.left:
        print(f"{result.source} delivered nothing on {result.received}")
    else:
        rows = [
            [one.file, one.feed or "", one.status, *(_number(getattr(one, name)) for name in columns)]
            for one in result.files
        ]
        total = ["total", "", "", *(_number(sum(getattr(one, name) or 0 for one in result.files)) for name in columns)]
        print(table(["file", "feed", "status", *columns], [*rows, total]))
    for one in result.taken_up:
        rows_up = _number((one.accepted or 0) + (one.duplicate or 0))
        print(f"{one.file} (received {one.received}): {rows_up} rows that had waited in quarantine taken up")
    if result.ignored:
        print(f"{len(result.ignored)} files ignored as the profile says")
    for one in result.files:
        if one.confidence is not None:
            print(f"{one.file}: read as {one.encoding}, detected with {one.confidence} % confidence")
    for one in result.files:
        for kind, count in one.apart.items():
            print(f"{one.file}: {count} rows are no record of {one.feed} ({kind})", file=sys.stderr)
        for note in one.drift:
            print(f"{one.file}: {note['text']}", file=sys.stderr)
        for rule in one.overridden:
            print(f"{one.file}: taken although {rule} refuses it, as {arguments.by} decided", file=sys.stderr)
        for fault in one.faults:
            where = f"{one.file}:{fault['first_row']}"
            print(
                f"{where}: {fault['reason']} ({fault['rows']} rows in quarantine, rule {fault['rule']})",
                file=sys.stderr,
            )
    if any(one.faults for one in result.files):
        print(
            "  mend: correct these rows at their source and deliver them again; the others went through",
            file=sys.stderr,
        )
    for text in result.left:
        print(text, file=sys.stderr)
    result.raise_for_refused()
    return 3 if result.left or any(one.faults for one in result.files) else 0


def fetch(config: Settings, arguments: argparse.Namespace) -> int:
    """Bring new files of a source into its inbox from where its profile says they come from."""
    from dealermart import fetch as work

    result = work.run(config, arguments.source, say=_say)
    print(f"{arguments.source}: {len(result.fetched)} files fetched, {len(result.left)} left for the next time")
    for text in result.left:
        print(text, file=sys.stderr)
    for received in sorted({received for received, _ in result.fetched}):
        print(f"now: dealermart ingest --source {arguments.source} --received {received}")
    return 0


def quarantine(config: Settings, arguments: argparse.Namespace) -> int:
    """See, correct, release or reject the rows that were held back."""
    from dealermart import desk

    names = ("source", "feed", "file", "received", "entry", "rule", "state", "rows")
    choice = desk.Choice(**{name: getattr(arguments, name) for name in names})
    action: Callable[[Settings, argparse.Namespace, desk.Choice], int] = arguments.action
    return action(config, arguments, choice)


def quarantine_list(config: Settings, arguments: argparse.Namespace, choice: desk.Choice) -> int:
    """Count them by file, rule and state."""
    from dealermart import desk

    lines = desk.listing(config, choice)
    rows = [
        [one.received.isoformat(), one.source, one.feed, one.file, one.rule, one.state, _number(one.rows)]
        for one in lines
    ]
    print(table(["received", "source", "feed", "file", "rule", "state", "rows"], rows) if rows else "no such rows")
    return 0


def quarantine_show(config: Settings, arguments: argparse.Namespace, choice: desk.Choice) -> int:
    """Show single rows with what is wrong with them; their values with --values only."""
    from dealermart import desk

    found = desk.rows(config, choice)
    for one in found[: arguments.limit]:
        place = f"{one.file}:{one.row_number}" + (f" part {one.row_part}" if one.row_part > 1 else "")
        decided = f" by {one.decided_by}, {one.why}" if one.decided_by else ""
        when = f" at {one.decided_at:%Y-%m-%d %H:%M:%S} UTC{decided}" if one.decided_at else ""
        waits = f" for {one.waits_for}" if one.state == "waiting" and one.waits_for else ""
        print(f"{place} ({one.feed}, received {one.received}): {one.reasons} [{one.rules}], {one.state}{waits}{when}")
        if arguments.values:
            print(f"  {one.record}")
    if len(found) > arguments.limit:
        print(f"and {len(found) - arguments.limit:,} more; --limit shows more of them")
    if not found:
        print("no such rows")
    return 0


def quarantine_export(config: Settings, arguments: argparse.Namespace, choice: desk.Choice) -> int:
    """Write them to a file for correction; it comes back as a delivery."""
    from dealermart import desk

    done = desk.export(config, choice, arguments.out)
    print(f"{done.records} records written to {arguments.out}")
    if done.unreadable:
        print(f"{done.unreadable} more could not be read and have no columns; correct them in the delivered file")
    print(f"corrected, put it into {done.back} and ingest that date")
    return 0


def quarantine_release(config: Settings, arguments: argparse.Namespace, choice: desk.Choice) -> int:
    """Let them in in spite of the rules."""
    from dealermart import desk

    done = desk.release(config, choice, arguments.by, arguments.reason, say=_say)
    more = f", {done.taken_up} rows that waited for them taken up" if done.taken_up else ""
    print(f"{done.rows} rows released{more}")
    if done.left:
        print(
            f"{done.left} rows were not: they do not map to their feed\n"
            "  mend: correct them with `dealermart quarantine export`, or reject them",
            file=sys.stderr,
        )
    return 3 if done.left else 0


def quarantine_reject(config: Settings, arguments: argparse.Namespace, choice: desk.Choice) -> int:
    """Close them for good."""
    from dealermart import desk

    print(f"{desk.reject(config, choice, arguments.by, arguments.reason, say=_say).rows} rows rejected")
    return 0


def build(config: Settings, arguments: argparse.Namespace) -> int:
    """Bring the marts up to the lake."""
    from dealermart import build as work

    result = work.run(config, arguments.as_of, arguments.period, arguments.full, say=_say)
    if result.skipped:
        print(f"nothing new since the last build (as of {result.as_of}); --full builds all the same")
    else:
        scope = "all" if result.full else str(result.months)
        print(
            f"built {result.models} models, {result.tests} tests passed, {scope} fiscal months, {result.seconds} s, "
            f"as of {result.as_of}"
        )
        print(f"warehouse: {result.warehouse}")
    return 0


def publish(config: Settings, arguments: argparse.Namespace) -> int:
    """Swap in new served copies."""
    from dealermart import publish as work

    result = work.run(config, say=_say)
    rows = [
        [audience, name, _number(count)]
        for audience, tables in result.audiences.items()
        for name, count in tables.items()
    ]
    print(table(["audience", "table", "rows"], rows))
    for audience in result.audiences:
        print(f"{audience}: {result.path / audience / work.FILE}")
    return 0


def rebuild(config: Settings, arguments: argparse.Namespace) -> int:
    """Make the lake and the warehouse anew from landing, config and log."""
    from dealermart import build as builder
    from dealermart import rebuild as work

    counts = work.run(config, say=_say)
    print(f"lake rebuilt: {counts['commits']} commits, {counts['deliveries']} deliveries, {counts['rows']} rows")
    if counts["commits"]:
        result = builder.run(config, say=_say)
        print(f"marts rebuilt: {result.models} models, {result.tests} tests passed, as of {result.as_of}")
    return 0


def erase(config: Settings, arguments: argparse.Namespace) -> int:
    """Erase values of a person, or those that are older than the retention of their feed."""
    from dealermart import erase as work
    from dealermart import runlog

    until = (arguments.until or runlog.now().date()) if arguments.retention else None
    wanted = work.Wanted(arguments.person, arguments.kind, tuple(arguments.also), until)
    result = work.run(config, wanted, arguments.by, arguments.reason, arguments.dry_run, say=_say)
    if arguments.dry_run:
        print("dry run: nothing was changed")
    if result.rows:
        print(table(["feed", "rows"], [[feed, _number(rows)] for feed, rows in result.rows.items()]))
    print(f"{_number(result.deliveries)} deliveries rewritten, {_number(result.files)} files removed")
    for name in result.named_in:
        print(f"log/{name} names the person in words that somebody wrote; it was not changed", file=sys.stderr)
    if (built := work.renew(config, result, _say)) is not None:
        print(f"marts rebuilt: {built.models} models, {built.tests} tests passed, as of {built.as_of}")
        print("served copies, where there were any, replaced and the ones before removed")
    return 0


def compact(config: Settings, arguments: argparse.Namespace) -> int:
    """Merge the lake's many files into one per feed and month of receipt."""
    from dealermart import compact as work

    result = work.run(config, say=_say)
    if result.made:
        print(f"{result.replaced:,} lake files became {result.made:,}, with the same {result.rows:,} rows")
    else:
        print("nothing to merge: the months of receipt that are over have one file per feed")
    print(f"{result.deleted:,} files that an earlier compaction replaced were deleted")
    return 0


def report(config: Settings, arguments: argparse.Namespace) -> int:
    """Make the HTML pages on ingest runs again from the log."""
    from dealermart import report as work

    print(work.run(config, arguments.run, arguments.all))
    return 0


def runs(config: Settings, arguments: argparse.Namespace) -> int:
    """Show the run log."""
    from dealermart import runlog

    found = runlog.read(config)
    if arguments.sql:
        from dealermart import runs as work

        names, rows = work.query(config, arguments.sql)
        print(table(names, [["" if value is None else str(value) for value in row] for row in rows]))
        return 0
    found = [one for one in found if arguments.command_name in (None, one["command"])][-arguments.last :]
    if arguments.json:
        print(json.dumps(found, ensure_ascii=False, indent=1))
        return 0
    print(
        table(
            ["started", "command", "what", "user", "status", "seconds", "accepted", "quarantined", "code"],
            [
                [
                    one["started_at"][:19],
                    one["command"],
                    " ".join(f"{name}={value}" for name, value in one["arguments"].items()),
                    one["user"],
                    one["status"],
                    str(one.get("seconds", "")),
                    _number(one.get("rows", {}).get("accepted")),
                    _number(one.get("rows", {}).get("quarantined")),
                    one["code_version"],
                ]
                for one in found
            ],
        )
    )
    for one in found:
        if one.get("error"):
            print(f"\n{one['started_at'][:19]} {one['command']}: {one['error']}")
    return 0


def doctor(config: Settings, arguments: argparse.Namespace) -> int:
    """Look for what keeps the pipeline from working, with mends."""
    from dealermart import doctor as work

    findings = work.examine(config)
    for one in findings:
        print(f"{'ok  ' if one.ok else 'FAIL'} {one.name}: {one.text}")
        if not one.ok:
            print(f"     mend: {one.mend}")
    return 0 if all(one.ok for one in findings) else 1


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Text table; columns that hold numbers only are set right."""
    cells = [list(header), *(list(row) for row in rows)]
    widths = [max(_width(row[index]) for row in cells) for index in range(len(header))]
    right = [
        bool(rows) and all(row[index].replace(",", "").replace(".", "").isdigit() or not row[index] for row in rows)
        for index in range(len(header))
    ]

    def line(row: Sequence[str]) -> str:
        padded = [
            " " * (width - _width(cell)) + cell if flag else cell + " " * (width - _width(cell))
            for cell, width, flag in zip(row, widths, right, strict=True)
        ]
        return "  ".join(padded).rstrip()

    return "\n".join([line(cells[0]), "  ".join("-" * width for width in widths), *(line(row) for row in cells[1:])])


def _width(text: str) -> int:
    """Columns that a terminal needs: Chinese characters take two."""
    import unicodedata

    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)


def _engine_fault(error: duckdb.Error) -> str:
    """What DuckDB says of files and memory, in words of ours: its own can quote data."""
    if isinstance(error, duckdb.OutOfMemoryException):
        return (
            "the memory limit is reached\n  mend: raise DEALERMART_MEMORY_LIMIT, or make room on the disk for spilling"
        )
    found = re.search(r'"(/[^"]+)"', str(error))
    return (
        f"a file is gone, damaged, or there is no room{f': {found[1]}' if found else ''}\n"
        "  mend: `dealermart doctor` looks for the cause; a lake file is made anew by `dealermart rebuild`"
    )


def _number(value: int | None) -> str:
    return "" if value is None else f"{value:,}"


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _day(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date written like 2026-03-02") from None


def _moment(text: str) -> dt.datetime:
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a moment written like 2026-03-02T18:00:00 (UTC)") from None
    try:
        return moment.astimezone(dt.UTC).replace(tzinfo=None) if moment.tzinfo else moment
    except OverflowError:
        raise argparse.ArgumentTypeError(f"{text!r} lies outside of the calendar") from None


def _count(text: str) -> int:
    if not text.isdigit() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="dealermart", description="From dealer records to KPI, incentive and performance-review marts."
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="command")

    def add(name: str, command: Callable[[Settings, argparse.Namespace], int]) -> argparse.ArgumentParser:
        one = commands.add_parser(name, help=(command.__doc__ or "").rstrip("."), description=command.__doc__)
        one.set_defaults(command=command)
        return one

    one = add("ingest", ingest)
    one.add_argument("--source", required=True, help="a source of config/sources")
    one.add_argument(
        "--received", required=True, type=_day, help="the day on which the files were received, such as 2026-03-02"
    )
    one.add_argument("--drop", type=Path, help="folder with the files (default: inbox/<source>/<received> in the home)")
    one.add_argument(
        "--dry-run", action="store_true", help="show what would be read, mapped and refused; change nothing"
    )
    one.add_argument(
        "--ingested-at", type=_moment, help="moment of learning in UTC, for loading history (default: now)"
    )
    one.add_argument(
        "--override", action="append", default=[], metavar="RULE", help="take files that this rule refuses"
    )
    one.add_argument("--file", action="append", metavar="NAME", help="only these of them (name or pattern)")
    one.add_argument("--by", default="", metavar="NAME", help="who decides so; kept in the log")
    one.add_argument("--reason", default="", metavar="TEXT", help="why; kept in the log")
    _quarantine_parser(add("quarantine", quarantine))
    one = add("fetch", fetch)
    one.add_argument("--source", required=True, help="a source of config/sources")
    one = add("build", build)
    one.add_argument("--as-of", type=_moment, help="rows learnt later (UTC) are not seen (default: everything)")
    one.add_argument(
        "--period", help="last fiscal month to build, such as 2026-M03 (default: that of the latest received date)"
    )
    one.add_argument("--full", action="store_true", help="build every month, whatever changed")
    add("publish", publish)
    add("rebuild", rebuild)
    add("compact", compact)
    one = add("report", report)
    which = one.add_mutually_exclusive_group()
    which.add_argument("--run", help="id of an ingest run (default: the last)")
    which.add_argument("--all", action="store_true", help="the pages of all runs")
    one = add("runs", runs)
    one.add_argument("--last", type=_count, default=20, help="how many to show (default 20)")
    one.add_argument(
        "--command",
        dest="command_name",
        choices=["fetch", "ingest", "release", "reject", "build", "publish", "rebuild", "compact"],
        help="only runs of this command",
    )
    one.add_argument("--json", action="store_true", help="everything that is known of them, as JSON")
    one.add_argument(
        "--sql", help='query the table `runs` instead, such as "select command, count(*) from runs group by command"'
    )
    add("doctor", doctor)
    one = add("erase", erase)
    what = one.add_mutually_exclusive_group(required=True)
    what.add_argument("--person", help="our code of the person, such as M017")
    what.add_argument(
        "--retention", action="store_true", help="what is older than retention_months of company.yml says"
    )
    one.add_argument(
        "--kind",
        choices=["member", "dealer_employee", "respondent"],
        default="member",
        help="whose code it is (default member)",
    )
    one.add_argument(
        "--also", action="append", default=[], help="one more text that tells who it is; may be given again"
    )
    one.add_argument("--until", type=_day, help="the day on which the retention is judged (default today)")
    one.add_argument("--by", required=True, help="who decides")
    one.add_argument("--reason", required=True, help="why, without naming the person: it stands in the log")
    one.add_argument("--dry-run", action="store_true", help="show what would be erased; change nothing")
    return parser


def _quarantine_parser(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(required=True, metavar="action")
    for name, action in (
        ("list", quarantine_list),
        ("show", quarantine_show),
        ("export", quarantine_export),
        ("release", quarantine_release),
        ("reject", quarantine_reject),
    ):
        one = actions.add_parser(name, help=(action.__doc__ or "").rstrip("."), description=action.__doc__)
        one.set_defaults(action=action)
        one.add_argument("--source", help="only rows of this source")
        one.add_argument("--feed", help="only rows of this feed")
        one.add_argument("--file", help="only rows of this file, as it was delivered")
        one.add_argument("--received", type=_day, help="only rows of files received on this day")
        one.add_argument("--entry", help="only rows of files that this entry of the profile takes")
        one.add_argument("--rule", help="only rows that this rule holds back (also: map, read)")
        one.add_argument(
            "--state",
            choices=["open", "waiting", "taken_up", "released", "rejected", "corrected"],
            help="only rows in this state",
        )
        one.add_argument("--rows", help="only these rows of the file, such as 5,9-12")
        if name == "show":
            one.add_argument("--values", action="store_true", help="show the records as they were delivered, too")
            one.add_argument("--limit", type=int, default=50, help="how many to show (default 50)")
        if name == "export":
            one.add_argument("--out", type=Path, required=True, help="file to write, .xlsx or .csv")
        if name in ("release", "reject"):
            one.add_argument("--by", required=True, help="who decides")
            one.add_argument("--reason", required=True, help="why")


if __name__ == "__main__":
    sys.exit(main())
