#!/usr/bin/env python
"""Start Airflow with its web page on this machine, with all DAGs switched on; Ctrl-C stops it."""

from __future__ import annotations

import os
import signal
import sys

from dealermart.base import DealermartError, load_settings
from dealermart.config import source_names
from dealermart.demo import Standalone


def say(text: str) -> None:
    """Show a line at once, also where the output goes into a pipe."""
    print(text, flush=True)


def main() -> int:
    """Run until told to stop. Returns the exit code."""
    os.umask(0o077)  # what comes into the state is pay, among other things: this user's own
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))  # so that Airflow is stopped too
    try:
        settings = load_settings()
        ingests = [f"ingest_{source}" for source in source_names(settings)]
        dags = [*ingests, "arrivals", "build_marts", "publish", "compact", "retention", "watch"]
        dags += ["close_period", "audit_closed"]
        airflow = Standalone(settings, expected=dags, say=say)
        say(f"starting Airflow, state in {settings.home}")
        with airflow:
            airflow.unpause(*dags)
            say(f"ready: {airflow.url}  (on this machine only)")
            say(airflow.login)
            say(f"files go to {settings.inbox}/<source>/<received date>/, the log is {airflow.log_file}")
            say("Ctrl-C stops it")
            airflow.watch()
    except DealermartError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
