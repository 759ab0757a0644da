#!/usr/bin/env python
"""Run the main job once, through the real DAGs: on a sample company, or on files of your own."""

from __future__ import annotations

import argparse
import datetime as dt
import os
import signal
import sys
from pathlib import Path

from dealermart import demo
from dealermart.base import DealermartError, load_settings


def say(text: str) -> None:
    """Show a line at once, also where the output goes into a pipe."""
    print(text, flush=True)


def main(arguments: list[str] | None = None) -> int:
    """Run the demonstration. Returns the exit code: 0 done, 1 files were refused, 2 it could not be run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--profile", default="sample", help="the source that the files come from (default sample)")
    parser.add_argument("--data", type=Path, help="folder with its files; by default a sample company is made")
    parser.add_argument("--size", choices=["S", "M", "L"], default="S", help="size of the sample company (default S)")
    parser.add_argument(
        "--received", type=dt.date.fromisoformat, help="when the files were received, if their folders do not say it"
    )
    options = parser.parse_args(arguments)
    os.umask(0o077)  # what comes into the state is pay, among other things: this user's own
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))  # so that Airflow is stopped too
    try:
        settings = demo.settings_for(load_settings(), options.profile)
        outcome = demo.run(settings, options.profile, options.data, options.size, options.received, say)
    except DealermartError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130
    print("\n" + "\n".join(outcome.table))
    if words := demo.closing_words(settings):
        print("\n" + "\n".join(words))
    home = f"DEALERMART_HOME={demo.shown(settings.home)} "
    print(f"\nnext: {home}.venv/bin/dealermart runs    what ran, when, with which counts")
    print(f"      {home}make docs         the documentation: tables, columns, KPIs, lineage")
    print(f"      {home}make dashboards   Apache Superset on these tables")
    if words:
        print(f"      {home}.venv/bin/dealermart postgres stop    PostgreSQL runs on until then")
    for run in outcome.red:
        print(f"red: {run.dag_id} {run.partition}, files were refused; see above", file=sys.stderr)
    return 1 if outcome.red else 0


if __name__ == "__main__":
    sys.exit(main())
