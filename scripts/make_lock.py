"""Write the requirements*.lock files from pyproject.toml: names, versions, hashes, no index address.

uv resolves for every supported Python and platform at once; it is fetched into a throw-away environment.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COMPILE = (
    "pip", "compile", "pyproject.toml", "--universal", "--python-version", "3.11", "--generate-hashes", "--quiet",
    "--no-header", "--no-annotate", "--no-emit-index-url", "--no-emit-find-links",
)  # fmt: skip
RUNTIME, REMOTE, DEV = "requirements.lock", "requirements-remote.lock", "requirements-dev.lock"
# Not beside the others: environments of their own, without the project.
PORTABLE, DASHBOARDS = "requirements-portable.lock", "requirements-dashboards.lock"
FAITHFUL = "tests/crm_faithful/requirements"  # .in names the clients that the CRM simulators are held against


def commands(uv: str, upgrade: bool) -> list[list[str]]:
    """The resolutions; each lock that holds more keeps to the versions of those before it. The last are apart."""
    more = ["--upgrade"] if upgrade else []
    alone = [uv, *(part for part in COMPILE if part != "pyproject.toml"), *more]
    return [
        [uv, *COMPILE, *more, "--extra", "build", "-o", RUNTIME],
        [uv, *COMPILE, *more, "--extra", "build", "--extra", "remote", "-c", RUNTIME, "-o", REMOTE],
        [uv, *COMPILE, *more, "--extra", "build", "--extra", "remote", "--extra", "dev", "-c", REMOTE, "-o", DEV],
        [*alone, "--group", "portable", "-o", PORTABLE],
        [*alone, "--group", "dashboards", "-o", DASHBOARDS],
        [
            uv,
            *(f"{FAITHFUL}.in" if part == "pyproject.toml" else part for part in COMPILE),
            *more,
            "-o",
            f"{FAITHFUL}.lock",
        ],
    ]


def main() -> int:
    """Command line; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--upgrade", action="store_true", help="take the newest versions that fit")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        venv.create(scratch, with_pip=True)
        try:
            subprocess.run([f"{scratch}/bin/python", "-m", "pip", "install", "--quiet", "uv"], check=True)
            for command in commands(f"{scratch}/bin/uv", given.upgrade):
                subprocess.run(command, cwd=ROOT, check=True, env={**os.environ, "UV_NO_PROGRESS": "1"})
        except subprocess.CalledProcessError as fault:
            print(f"{Path(fault.cmd[0]).name} failed (its message stands above); the locks may be half renewed")
            print("  mend: correct pyproject.toml or the network, run it again; git checkout *.lock goes back")
            return 1
    for name in (RUNTIME, REMOTE, DEV, PORTABLE, DASHBOARDS, f"{FAITHFUL}.lock"):
        count = sum("==" in line for line in (ROOT / name).read_text("utf-8").splitlines())
        print(f"{name}: {count} packages")
    return 0


if __name__ == "__main__":
    sys.exit(main())
