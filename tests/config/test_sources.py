"""docs/sources.md: its reference follows from the models, and its tutorial runs as it stands."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import Field

import make_sources
from dealermart.base import REPO, child_environment
from dealermart.config import Totals

TEXT = (REPO / make_sources.DOC).read_text("utf-8")


def test_the_reference_follows_from_the_models() -> None:
    assert make_sources.document(TEXT) == TEXT, "mend: run `make feeds`"
    changed = TEXT.replace("| `delimiter` | text |", "| `delimiter` | letter |")
    assert changed != TEXT
    assert make_sources.document(changed) == TEXT


def test_every_field_has_its_meaning() -> None:
    class Silent(Totals):
        """A field without a text."""

        more: int = Field(default=1)

    with pytest.raises(KeyError, match=r"Silent: write what .*more.* means"):
        make_sources.descriptions(Silent)


@pytest.mark.integration
def test_the_tutorial_runs_as_it_stands(tmp_path: Path) -> None:
    """Commands and what they print, in their order; a text block holds lines of what the block above it printed."""
    shutil.copytree(REPO / "config", tmp_path / "config")
    (tmp_path / ".venv").symlink_to(Path(sys.prefix))
    tutorial = TEXT.partition("\n## A source in ten minutes\n")[2].partition("\n## ")[0]
    blocks = re.findall(r"```(sh|text)\n(.*?)```", tutorial, re.S)
    script = "\n".join(f"{text}\necho '== block'" for kind, text in blocks if kind == "sh")
    ran = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, env=child_environment(), capture_output=True, text=True, check=False
    )
    printed = iter((ran.stdout).split("== block\n"))
    said = ""
    for kind, text in blocks:
        if kind == "sh":
            said = next(printed)
            continue
        for line in text.splitlines():
            assert line in said or line in ran.stderr, f"{line}\n--- printed:\n{ran.stdout}\n{ran.stderr}"
    assert "Traceback" not in ran.stderr
