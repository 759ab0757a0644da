"""The ``dealermart`` command: what DAGs do, for people. A module per group of commands, with their arguments.

Exit codes: 0 done; 1 a fault that the message explains; 2 wrong usage; 3 done, and some rows are in quarantine or some
files are left for the next run; 141 the reader of the output went away before its end (as shells say it of SIGPIPE).
"""

from __future__ import annotations

import argparse
import errno
import os
import re
import sys
from collections.abc import Sequence

import duckdb

from dealermart import __version__
from dealermart.base import DealermartError, load_settings
from dealermart.cli import (
    build,
    closing,
    completion,
    crm,
    erase,
    explain,
    ingest,
    look,
    plan,
    postgres,
    quarantine,
    review,
)
from dealermart.cli.examples import show_examples
from dealermart.cli.table import Command

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    os.umask(0o077)  # what comes into the state is pay, among other things: this user's own
    arguments = _parser().parse_args(argv)
    try:
        command: Command = arguments.command
        code = command(load_settings(), arguments)
        sys.stdout.flush()  # here, where a reader that went away can be told from other faults
        return code
    except BrokenPipeError:  # `| head` has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what is flushed at the end
        return 141
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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="dealermart", description="From dealer records to KPI, incentive and performance-review marts."
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="command")
    for module in (ingest, crm, quarantine, build, postgres, plan, explain, closing, review, look, erase):
        module.register(commands)
    completion.register(_parser)(commands)
    show_examples(parser)
    return parser


def _engine_fault(error: duckdb.Error) -> str:
    """What DuckDB says of files and memory, in words of ours: its own can quote data."""
    if isinstance(error, duckdb.OutOfMemoryException):
        return (
            "the memory limit is reached\n  mend: raise DEALERMART_MEMORY_LIMIT, or make room on the disk for spilling"
        )
    found = re.search(r"""["'](/[^"']+)["']""", str(error))
    if found is None and isinstance(error, duckdb.InvalidInputException):
        return (
            "the engine refuses what it was asked, which is a fault of the program\n  mend: report it with the command"
        )
    return (
        f"a file is gone, damaged, or there is no room{f': {found[1]}' if found else ''}\n"
        "  mend: `dealermart doctor` looks for the cause; a lake file is made anew by `dealermart rebuild`"
    )
