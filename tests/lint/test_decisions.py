"""The index of decisions names every entry, and every entry says what holds and where in the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dealermart.base import REPO

FOLDER = REPO / "docs" / "decisions"
FILES = sorted(path for path in FOLDER.glob("*.md") if path.name != "README.md")


def entries(path: Path) -> dict[str, str]:
    """Title to text."""
    parts = re.split(r"^### (.*)$", path.read_text("utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_the_index_names_every_entry_and_no_other() -> None:
    listed = set(re.findall(r"^- \[(.*)\]\((\w+\.md)#", (FOLDER / "README.md").read_text("utf-8"), flags=re.MULTILINE))
    assert listed == {(title, path.name) for path in FILES for title in entries(path)}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_an_entry_says_what_holds_and_where(path: Path) -> None:
    for title, text in entries(path).items():
        assert "**Holds.**" in text and "**Where.**" in text, title
        for name in re.findall(r"`([\w/]+\.py)`", text.partition("**Where.**")[2]):
            places = (REPO / "src" / "dealermart" / name, REPO / name)
            assert any(place.is_file() for place in places), f"{title}: there is no {name}"
