"""What a file of ``dashboards/`` may say."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from dealermart.base import REPO, ConfigError
from dealermart.config import load_yaml

FOLDER = REPO / "dashboards"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Chart(_Strict):
    """One chart: ``values`` are SQL aggregates by label, over the rows of ``table`` that ``where`` takes, by ``by``.

    The SQL runs in PostgreSQL and DuckDB alike. ``latest`` takes of these rows those with the last value of a column,
    such as the last day. A line or bar has a date as the first of ``by``, and series by the second.
    """

    title: str
    title_zh: str
    kind: Literal["number", "line", "bar", "table"]
    table: Annotated[str, Field(pattern=r"^[a-z0-9_]+$")]
    where: str = ""
    latest: str = ""
    by: tuple[str, ...] = ()
    values: Annotated[dict[str, str], Field(min_length=1)]
    format: str = ",.0f"
    width: Annotated[int, Field(ge=2, le=12)] = 6

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Chart:
        if self.kind == "number" and (self.by or len(self.values) != 1):
            raise ValueError("a number has one value and nothing in by")
        if self.kind in ("line", "bar") and not 1 <= len(self.by) <= 2:
            raise ValueError("a line or bar has a date in by, and at most one more column")
        if self.kind in ("line", "bar") and len(self.by) == 2 and len(self.values) != 1:
            raise ValueError("a line or bar with series has one value")
        if self.kind == "table" and not self.by:
            raise ValueError("a table needs by")
        return self

    def rows(self, schema: str) -> str | None:
        """The select behind ``latest``: Superset takes no subquery in a chart, so it is a dataset of its own."""
        if not self.latest:
            return None
        last = f"select max({self.latest}) from {schema}.{self.table}{self._taken()}"
        return f"select * from {schema}.{self.table} where {self.latest} = ({last})"

    def select(self, schema: str) -> str:
        """What the chart shows, in an order of its own."""
        columns = [*self.by, *(f'{value} as "{label}"' for label, value in self.values.items())]
        rows = f"({self.rows(schema)}) as latest" if self.latest else f"{schema}.{self.table}"
        group = f" group by {', '.join(self.by)} order by {', '.join(self.by)}" if self.by else ""
        return f"select {', '.join(columns)} from {rows}{self._taken()}{group}"

    def _taken(self) -> str:
        return f" where {self.where}" if self.where else ""


class Board(_Strict):
    """One dashboard, read by one audience."""

    title: str
    title_zh: str
    audience: Literal["bi", "hr"]
    charts: Annotated[tuple[Chart, ...], Field(min_length=1)]

    @property
    def name(self) -> str:
        """The title in both languages."""
        return f"{self.title} {self.title_zh}"


def load_boards(folder: Path = FOLDER) -> dict[str, Board]:
    """Every dashboard, by its slug, the name of its file.

    Raises:
        ConfigError: a file is broken; names file, line and field.
    """
    boards = {path.stem.replace("_", "-"): load_yaml(path, Board) for path in sorted(folder.glob("*.yml"))}
    if not boards:
        raise ConfigError("there is no dashboard", where=str(folder), mend="put one YAML file per dashboard there")
    for slug, board in boards.items():
        titles = [chart.title for chart in board.charts]
        if repeated := sorted({title for title in titles if titles.count(title) > 1}):
            raise ConfigError(f"charts stand twice: {repeated[0]}", where=f"{slug}.yml", mend="give each its own title")
        if not re.search("[\u4e00-\u9fff]", board.title_zh):
            raise ConfigError("title_zh is not Chinese", where=f"{slug}.yml", mend="write it")
    return boards
