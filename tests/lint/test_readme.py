"""README tells analysts of every table that is published, and of none that is not."""

from __future__ import annotations

import re

from dealermart.base import REPO


def test_every_mart_has_its_row_in_the_readme() -> None:
    marts = {path.stem for path in (REPO / "dbt_project" / "models" / "marts").rglob("*.sql")}
    rows = re.findall(r"^\| (`(?:dim|fct|bridge|mart)_.*?) \|", (REPO / "README.md").read_text("utf-8"), re.MULTILINE)
    assert sorted(re.findall(r"`(\w+)`", " ".join(rows))) == sorted(marts), "the tables of README.md and models/marts"
