"""Make the project's environment from a lock file: exact versions, checked hashes, progress on one line.

Called by the Makefile with the Python that the environment shall use; needs nothing but that Python.
"""

import sys

SUPPORTED = ((3, 11), (3, 12), (3, 13))
if sys.version_info[:2] not in SUPPORTED:  # before anything that an old Python would not understand
    sys.exit(
        "dealermart needs Python 3.11, 3.12 or 3.13; {} is {}.{}\n  mend: name one that is installed, "
        "for example: make demo PYTHON=python3.11".format(sys.executable, *sys.version_info[:2])
    )

import argparse
import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

# Without --no-deps pip resolves the extras that packages ask of each other and finds them missing from the hashes;
# the lock is complete, and `pip check` proves that afterwards.
INSTALL = ("install", "--no-deps", "--require-hashes", "--no-compile", "--progress-bar", "off", "-r")
EDITABLE = ("install", "--no-deps", "--no-build-isolation", "--no-index", "--quiet", "-e")


class EnvironmentFault(Exception):
    """The environment could not be made; the text says why and how to mend it."""


def locked(lock: Path) -> int:
    """Number of packages in a lock file (those for other platforms included)."""
    return sum(1 for line in lock.read_text("utf-8").splitlines() if "==" in line and not line.startswith(("#", " ")))


def progress(log: Path, site_packages: Path, total: int, before: int) -> str:
    """One line on how far pip is, from its log and from what it has unpacked.

    Args:
        log: What pip has written so far.
        site_packages: Where the packages go.
        total: Packages in the lock.
        before: Packages that stood there before.
    """
    lines = log.read_text("utf-8", errors="replace").splitlines()
    if any(line.startswith("Installing collected packages") for line in lines):
        return f"unpacking {max(_installed(site_packages) - before, 0)} of {total} packages"
    seen = sum(1 for line in lines if line.startswith(("Collecting ", "Requirement already satisfied")))
    return f"fetching {seen} of {total} packages"


def make(venv: Path, lock: Path, root: Path | None, say: Callable[[str], None]) -> None:
    """Create or complete ``venv`` from ``lock`` and put the project itself into it, editable, if ``root`` names it.

    Raises:
        EnvironmentFault: venv or pip failed, or the packages do not fit together.
    """
    python = venv / "bin" / "python"
    if not _runs(python):
        say(f"new environment in {venv.name}/ with Python {sys.version.split()[0]}")
        _create(venv)
    log = venv / "install.log"
    site_packages = next((venv / "lib").glob("python3*/site-packages"))
    total, before = locked(lock), _installed(site_packages)
    _pip(python, [*INSTALL, str(lock)], log, lambda: say(progress(log, site_packages, total, before)))
    if root is not None:
        _pip(python, [*EDITABLE, str(root)], log)
    _pip(python, ["check"], log)
    say("compiling bytecode")
    # A package may carry templates that are no Python; pip ignores those too.
    compile_all = [str(python), "-m", "compileall", "-q", "-j", "0", str(site_packages)]
    subprocess.run(compile_all, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)


def _runs(python: Path) -> bool:
    try:
        return subprocess.run([str(python), "-c", "import pip"], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def _create(venv: Path) -> None:
    if venv.exists():
        shutil.rmtree(venv)  # half made, or its Python is gone
    done = subprocess.run([sys.executable, "-m", "venv", str(venv)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise EnvironmentFault(
            f"{sys.executable} cannot make a virtual environment:\n{(done.stdout + done.stderr).strip()}\n"
            "  mend: use a Python that has the venv and ensurepip modules, for example one from python.org or pyenv"
        )


def _installed(site_packages: Path) -> int:
    return sum(1 for _ in site_packages.glob("*.dist-info"))


def _pip(python: Path, arguments: list[str], log: Path, tick: Callable[[], None] = lambda: None) -> None:
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    with log.open("wb") as out:
        process = subprocess.Popen(
            [str(python), "-m", "pip", *arguments],
            stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, env=environment,
        )  # fmt: skip
        try:
            while process.poll() is None:
                tick()
                time.sleep(0.5)
        except BaseException:
            process.kill()
            process.wait()
            raise
    if process.returncode:
        lines = [line for line in log.read_text("utf-8", errors="replace").splitlines() if "is ignored:" not in line]
        raise EnvironmentFault(
            "pip {} failed:\n{}\n  mend: check the network or the package index of pip, then run make again; "
            "all of pip's words are in {}".format(arguments[0], "\n".join(f"  | {line}" for line in lines[-15:]), log)
        )


class _Status:
    """Prints a status: rewritten in place on a terminal, now and then a line in a log."""

    def __init__(self) -> None:
        self.last, self.shown_at, self.width = "", 0.0, 0

    def __call__(self, text: str) -> None:
        if text == self.last:
            return
        if sys.stdout.isatty():
            print(f"\r  {text:<{self.width}}", end="", flush=True)
            self.width = max(self.width, len(text))
        elif time.monotonic() - self.shown_at > 5 or text.split()[0] != self.last.split(" ")[0]:
            print(f"  {text}", flush=True)
            self.shown_at = time.monotonic()
        self.last = text


def main() -> int:
    """Command line; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--venv", type=Path, required=True)
    parser.add_argument("--lock", type=Path, required=True)
    parser.add_argument("--root", type=Path, default=Path())
    parser.add_argument("--bare", action="store_true", help="only what the lock names, without the project itself")
    given = parser.parse_args()
    started = time.monotonic()
    print(f"environment from {given.lock.name} (the first time this takes some minutes)", flush=True)
    try:
        make(given.venv, given.lock, None if given.bare else given.root, _Status())
    except EnvironmentFault as fault:
        print(f"\n{fault}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nstopped; run make again to go on", file=sys.stderr)
        return 130
    end = "\n" if sys.stdout.isatty() else ""
    print(f"{end}environment ready after {time.monotonic() - started:.0f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
