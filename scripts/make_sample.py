#!/usr/bin/env python
"""Write the sample company: files as real sources send them, and truth.json with what must come out."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import sample_company as sample
from sample_company import corpus


def main(arguments: list[str] | None = None) -> int:
    """Make the sample. Returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same bytes (default 1)")
    parser.add_argument(
        "--size", choices=["S", "M", "L"], default="S", help="about 15 thousand, 150 thousand or 1.5 million sale lines"
    )
    parser.add_argument("--out", type=Path, required=True, help="a folder that does not exist yet, or is empty")
    parser.add_argument(
        "--corpus", action="store_true", help="messy files of every kind instead of a company, each with its truth"
    )
    options = parser.parse_args(arguments)
    if options.out.exists() and (not options.out.is_dir() or any(options.out.iterdir())):
        print(
            f"error: {options.out} is not an empty folder\n  mend: name another one, or remove it first",
            file=sys.stderr,
        )
        return 2
    if options.corpus:
        files = corpus.make(options.out)["files"]
        print(f"{len(files)} messy files, their config and truth.json written to {options.out}")
        return 0
    started = time.monotonic()
    truth = sample.make(options.seed, options.size, options.out)
    lines, files, days = truth["sales"]["current_lines"], len(truth["files"]), len(truth["received_dates"])
    took = time.monotonic() - started
    print(f"sample {options.size}, seed {options.seed}: {lines:,} current sale lines in {files} files, {took:.0f} s")
    print(f"three years of sales, received on {days} dates from {truth['received_dates'][0]}")
    print(f"written to {options.out}; what must come out stands in truth.json")
    return 0


if __name__ == "__main__":
    sys.exit(main())
