"""Run the linters: all of them, or those named. Every one runs even if another fails."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
DBT_STATE = ROOT / ".cache" / "dbt"  # absolute: dbt takes a relative path from its project
TOOLS: dict[str, list[str]] = {
    "ruff": ["ruff", "check", "--quiet", "--output-format", "concise", "."],
    "format": ["ruff", "format", "--check", "--quiet", "--output-format", "concise", "."],
    "yamllint": ["yamllint", "--strict", "."],
    "mypy": ["mypy", "--no-error-summary"],
    "imports": ["lint-imports", "--no-logo", "--cache-dir", ".cache/importlint"],
    "dbt": [
        "dbt", "--quiet", "--warn-error", "--no-use-colors", "--no-partial-parse", "--log-path", str(DBT_STATE),
        "parse", "--project-dir", "dbt_project", "--profiles-dir", "dbt_project", "--target-path", str(DBT_STATE),
    ],
    "sqlfluff": ["sqlfluff", "lint", "--disable-progress-bar", "--processes", "2", "dbt_project", "expectations"],
    "rules": ["python", "scripts/lint_layers.py"],
}  # fmt: skip


def run(name: str) -> bool:
    """Run one tool in the project's root; prints its words if it fails. Returns whether it passed."""
    program, *arguments = TOOLS[name]
    started = time.monotonic()
    done = subprocess.run(
        [str(BIN / program), *arguments],
        cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        env={**os.environ, "DBT_SEND_ANONYMOUS_USAGE_STATS": "false", "DO_NOT_TRACK": "1"},
    )  # fmt: skip
    # In several processes sqlfluff exits 0 after a fault in its own config, having checked nothing.
    passed = done.returncode == 0 and "User Error" not in done.stdout
    print(f"{'ok    ' if passed else 'FAILED'} {name:<9} {time.monotonic() - started:5.1f} s", flush=True)
    if not passed:
        print(done.stdout.rstrip() or f"  (exit code {done.returncode}, no output)", flush=True)
    return passed


def main() -> int:
    """Command line; returns 1 if a tool fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tools", nargs="*", metavar="tool", help=f"of {', '.join(TOOLS)}; default all")
    given = parser.parse_args()
    unknown = sorted(set(given.tools) - set(TOOLS))
    if unknown:
        parser.error(f"no such tool: {', '.join(unknown)}; there are {', '.join(TOOLS)}")
    DBT_STATE.mkdir(parents=True, exist_ok=True)
    # A manifest of yesterday must not be judged in place of one that could not be made today.
    if not given.tools or "dbt" in given.tools:
        (DBT_STATE / "manifest.json").unlink(missing_ok=True)
    failed = [name for name in TOOLS if name in (given.tools or TOOLS) and not run(name)]
    if failed:
        print(f"failed: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
