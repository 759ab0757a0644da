"""A quarter's rows by person, with what lies before and after it: what packs are made from, read once for all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from dealermart.review.quarter import LINE, RESULT, Quarter, read_quarter
from dealermart.review.tables import Row, Tables

SHOWN = 8  # quarters in a trend


@dataclass(frozen=True)
class People:
    """Rows by member.

    Attributes:
        quarter: The quarter itself.
        results: Member -> result of this quarter.
        periods: The quarters of trends, oldest first, this one last.
        past: (member, quarter) -> result.
        past_lines: (member, quarter) -> scorecard lines.
        next_id: The quarter after this one; nothing where the calendar does not say it.
        next_goals: Member -> goals of the quarter after this one.
        targets: Member -> targets whose window lies in this quarter or begins in the next.
        kpis: Code of a KPI -> its row in the registry.
    """

    quarter: Quarter
    results: Mapping[str, Row]
    periods: Sequence[str]
    past: Mapping[tuple[str, str], Row]
    past_lines: Mapping[tuple[str, str], Sequence[Row]]
    next_id: str | None
    next_goals: Mapping[str, Sequence[Row]]
    targets: Mapping[str, Sequence[Row]]
    kpis: Mapping[str, Row]
    _rows: Mapping[str, Mapping[str, Sequence[Row]]]

    def of(self, mart: str, member_id: str) -> Sequence[Row]:
        """A member's rows of a mart in this quarter."""
        return self._rows[mart].get(member_id, ())

    def team(self, manager_id: str) -> list[Row]:
        """Results of those whose manager this is by the dated hierarchy, and of those below them."""
        found: dict[str, Row] = {}
        above = [manager_id]
        while above:
            boss = above.pop(0)
            for row in self.quarter.results:
                if row["manager_id"] == boss and row["member_id"] not in found and row["member_id"] != manager_id:
                    found[row["member_id"]] = row
                    above.append(row["member_id"])
        return list(found.values())

    def managers(self) -> list[str]:
        """Those whom somebody has as manager."""
        return sorted({row["manager_id"] for row in self.quarter.results if row["manager_id"]})


def read_people(tables: Tables, period_id: str, pay: bool) -> People:
    """Read a quarter for packs; without ``pay`` no row says what somebody is paid.

    Raises:
        DataError, UsageError: as ``read_quarter``.
    """
    quarter = read_quarter(tables, period_id, pay)
    periods = [row["period_id"] for row in quarter.trend][-SHOWN:]
    wanted = f"period_id in ({', '.join('?' * len(periods))})"
    past = tables.rows(f"select * from {RESULT} where {wanted} order by member_id, period_start", periods)
    lines = tables.rows(
        f"select * from {LINE} where {wanted} order by member_id, period_start, part_no, criterion_no, criterion_id",
        periods,
    )
    following = next((row for row in tables.all("dim_period") if row["previous_period_id"] == period_id), None)
    goals: list[Row] = []
    if following and tables.has("mart_review__goal"):
        sql = "select * from mart_review__goal where period_id = ? order by member_id, depth, goal_id"
        goals = tables.rows(sql, [following["period_id"]])
    targets: list[Row] = []
    if tables.has("mart_kpi__target_window"):
        sql = """
            select *, valid_from >= ? as is_next from mart_kpi__target_window
            where subject_type = 'member' and valid_from < ? and valid_to > ?
            order by subject_id, valid_from, target_id
        """
        until = following["period_end"] if following else quarter.end
        targets = tables.rows(sql, [quarter.end, until, quarter.start])
    by_mart = {mart: _by(rows, "member_id") for mart, rows in quarter.rows.items() if rows and "member_id" in rows[0]}
    return People(
        quarter,
        {row["member_id"]: row for row in quarter.results},
        periods,
        {(row["member_id"], row["period_id"]): row for row in past},
        _pairs(lines),
        following["period_id"] if following else None,
        _by(goals, "member_id"),
        _by(targets, "subject_id"),
        {row["kpi_code"]: row for row in tables.all("dim_kpi")},
        defaultdict(dict, by_mart),
    )


def _by(rows: Iterable[Row], key: str) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[row[key]].append(row)
    return dict(found)


def _pairs(rows: Iterable[Row]) -> dict[tuple[str, str], list[Row]]:
    found: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in rows:
        found[row["member_id"], row["period_id"]].append(row)
    return dict(found)
