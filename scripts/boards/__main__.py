"""Serve the dashboards on this machine, or open each in a browser and compare its numbers with the marts'."""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

from boards import look
from boards.serve import AUDIENCES, Superset
from boards.spec import Board, Chart, load_boards
from dealermart import publish
from dealermart.base import DealermartError, Settings, connect, literal, load_settings

BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def main() -> int:
    """Command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="boards", description=__doc__)
    parser.add_argument("action", choices=["up", "test"])
    parser.add_argument("--python", type=Path, required=True, help="that of Superset's environment")
    parser.add_argument("--port", type=int, default=0, help="where its page is (default: a free one)")
    given = parser.parse_args()
    os.umask(0o077)
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))  # so that Superset is stopped too
    try:
        settings = load_settings()
        browser = next(filter(None, map(shutil.which, BROWSERS)), None)
        if given.action == "test" and browser is None:
            print("skipped: there is no Chromium here (apt-get install chromium); nothing was looked at")
            return 0
        superset = Superset(settings, given.python.absolute(), given.port)
        superset.prepare(say)
        with superset.running() as url:
            if given.action == "test":
                return _test(settings, superset, str(browser))
            say(f"ready: {url}  (on this machine only)")
            for name in ("admin", *AUDIENCES):
                say(f"user {name}, password {superset.secrets[name]}")
            say("Ctrl-C stops it")
            while True:
                time.sleep(1)
    except DealermartError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 0


def say(text: str) -> None:
    """Show a line at once, also where the output goes into a pipe."""
    print(text, flush=True)


def _test(settings: Settings, superset: Superset, browser: str) -> int:
    """Open every dashboard; what it should show comes from the served files, by another engine."""
    expected = [
        {
            "slug": slug,
            "audience": board.audience,
            "charts": [_expected(settings, board, chart) for chart in board.charts],
        }
        for slug, board in load_boards().items()
    ]
    file = superset.home / "expected.json"
    file.write_text(json.dumps(expected, ensure_ascii=False, default=str), "utf-8")
    passwords = {f"SUPERSET_PASSWORD_{name.upper()}": superset.secrets[name] for name in AUDIENCES}
    command = [str(superset.bin / "python"), str(Path(look.__file__)), str(file), superset.url, str(superset.home)]
    done = subprocess.run(command, env={**os.environ, **passwords, "CHROMIUM": browser, "PYTHONPATH": ""}, check=False)
    say(f"pictures: {superset.home}/*.png")
    return done.returncode


def _expected(settings: Settings, board: Board, chart: Chart) -> dict[str, Any]:
    """The rows of a chart, out of the served DuckDB file of its audience, and texts that stand on the page."""
    con = connect(settings, spill=settings.home / "dashboards" / "spill")
    try:
        file = settings.published / board.audience / publish.FILE
        con.execute(f"attach {literal(str(file))} as served (read_only)")
        found = con.execute(chart.select("served.main"))
        columns = [column[0] for column in found.description or []]
        rows = [[_cell(chart, cell) for cell in row] for row in found.fetchall()]
    finally:
        con.close()
    text = [_shown(rows[0][0], chart.format)] if chart.kind == "number" else []
    if chart.kind == "table" and rows:
        text = [str(row[0]) for row in rows[:3] if row[0] is not None]
    name = f"{chart.title} {chart.title_zh}"
    series = chart.kind in ("line", "bar") and len(chart.by) == 2
    return {"name": name, "columns": columns, "keys": len(chart.by), "series": series, "rows": rows, "text": text}


def _cell(chart: Chart, value: Any) -> Any:
    if isinstance(value, dt.date):  # Superset answers with milliseconds
        moment = dt.datetime.combine(value, dt.time(), dt.UTC)
        return int(moment.timestamp() * 1000)
    return value


def _shown(value: Any, form: str) -> str:
    """A number as d3 writes it, for the formats that dashboards use."""
    number = Decimal(str(value))
    if form.endswith("%"):
        return f"{number * 100:.{form[1:-1].lstrip('.')}f}%"
    return f"{number:,.0f}" if form == ",d" else format(number, form)


if __name__ == "__main__":
    sys.exit(main())
