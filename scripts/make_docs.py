#!/usr/bin/env python
"""Make the documentation site, a folder to open from disk: tables and columns, KPIs, plans, guides, dbt's lineage."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from dealermart import site
from dealermart.base import DealermartError, load_settings


def main() -> int:
    """Command line; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, help="the folder to write (default: site in the home)")
    given = parser.parse_args()
    try:
        settings = load_settings()
        page = site.run(settings, (given.out or settings.home / "site").resolve(), say=print)
    except DealermartError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"open {page.as_uri()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
