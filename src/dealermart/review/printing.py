"""PDF of a page, by the Chromium of the machine where it has one."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from dealermart.base import DealermartError

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

_SECONDS = 120


def found() -> str | None:
    """The program, if this machine has it."""
    return next((path for name in _NAMES if (path := shutil.which(name))), None)


def options(profile: Path) -> list[str]:
    """How it is started: without a window, with a profile that is thrown away, and without any network."""
    started = [
        "--headless", "--disable-gpu", "--no-first-run", "--disable-extensions", "--disable-background-networking",
        "--disable-component-update", "--disable-sync", "--host-resolver-rules=MAP * ~NOTFOUND",
        f"--user-data-dir={profile}",
    ]  # fmt: skip
    # Chromium refuses its sandbox to root, as in a container; the page is ours and has no script.
    return [*started, "--no-sandbox"] if os.geteuid() == 0 else started


def to_pdf(program: str, page: Path, out: Path) -> None:
    """Print a page to ``out``.

    Raises:
        DealermartError: the program does not do it.
    """
    with tempfile.TemporaryDirectory(prefix="dealermart-") as profile:
        given = [
            program,
            *options(Path(profile)),
            "--no-pdf-header-footer",
            f"--print-to-pdf={out}",
            page.resolve().as_uri(),
        ]
        try:
            done = subprocess.run(given, capture_output=True, timeout=_SECONDS, check=False)
        except subprocess.TimeoutExpired:
            done = None
    if done is None or done.returncode or not out.exists():
        raise DealermartError(
            "Chromium made no PDF of the page", where=str(page), mend="print the page by hand, or leave --pdf out"
        )
