"""A quarter's review as rows: what workbook and packs are made from, read once, names of people filled in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from dealermart.base import UsageError, quoted
from dealermart.review.sheets import SPECS
from dealermart.review.tables import Row, Tables

RESULT, LINE = "mart_review__member_quarter", "mart_review__scorecard_line"

# Which rows of a mart belong to the quarter, where it is not said by period_id.
_PAID = "scenario_id = 'paid' and payee_type = 'member' and period_start >= $first and period_end <= $end"
_WHERE = {
    "mart_kpi__training_plan": "true",
    "fct_recognition": "awarded_date >= $first and awarded_date < $end",
    "mart_incentive__statement": _PAID,
}

# Of marts that hold pay too, the rows that hold none.
_UNPAID = {"mart_incentive__statement": "false", "mart_review__fairness": "measure <> 'pay'"}

# Codes of people, and under which name the person's own stands beside.
_PEOPLE = {
    "member_id": "member_name", "manager_id": "manager_name", "rater_id": "rater_name", "owner_id": "owner_name",
    "decided_by_id": "decided_by_name", "delivered_by_id": "delivered_by_name", "given_by_id": "given_by_name",
}  # fmt: skip


@dataclass(frozen=True)
class Quarter:
    """A quarter and its rows.

    Attributes:
        rows: Rows of each mart of ``sheets``, in the order of its sheet; of marts that the copy lacks none.
        missing: Marts that the copy lacks.
        totals: Rows, and the sum of the column that ties, as the mart has them; by currency where there are several.
        about: What the copy says of itself.
        trend: This quarter and those before it: members due, rated, and their mean final score.
    """

    period_id: str
    start: dt.date
    end: dt.date
    rows: Mapping[str, list[Row]]
    missing: frozenset[str]
    totals: Mapping[str, Mapping[str, tuple[int, Decimal | None]]]
    about: Mapping[str, str]
    trend: list[Row]

    @property
    def results(self) -> list[Row]:
        """The result of each member."""
        return self.rows[RESULT]

    @property
    def last_day(self) -> dt.date:
        """The quarter's last day."""
        return self.end - dt.timedelta(days=1)

    @property
    def created(self) -> dt.datetime:
        """The moment that the data were known at; of a copy that does not say it, the quarter's end."""
        try:
            return dt.datetime.fromisoformat(self.about["as_of"]).replace(tzinfo=None, microsecond=0)
        except (KeyError, ValueError):
            return dt.datetime.combine(self.end, dt.time())


def read_quarter(tables: Tables, period_id: str, pay: bool) -> Quarter:
    """Read the review of a quarter; without ``pay`` no row of any mart that says what somebody is paid.

    Raises:
        DataError: the copy holds no reviews. UsageError: it holds none of that quarter.
    """
    tables.need(RESULT, LINE)
    bounds = tables.rows(f"select distinct period_start, period_end from {RESULT} where period_id = ?", [period_id])
    if not bounds:
        known = [row["period_id"] for row in tables.rows(f"select distinct period_id from {RESULT} order by all")]
        raise UsageError(
            f"there is no review of {period_id}",
            where=str(tables.place),
            mend=f"name one of: {', '.join(known)}" if known else "reviews begin with the first complete quarter",
        )
    start, end = bounds[0]["period_start"], bounds[0]["period_end"]
    given = {"period": period_id, "first": start, "end": end}
    names = _names(tables)
    members = _members(tables, end)
    rows: dict[str, list[Row]] = {}
    totals: dict[str, dict[str, tuple[int, Decimal | None]]] = {}
    for spec in SPECS:
        rows[spec.mart] = []
        if not tables.has(spec.mart):
            continue
        where = _WHERE.get(spec.mart, "period_id = $period")
        if not pay:
            where = f"{where} and {_UNPAID.get(spec.mart, 'true')}"
        used = {name: value for name, value in given.items() if f"${name}" in where}
        summed = f"sum({quoted(spec.total)})" if spec.total else "null"
        group = quoted(spec.per) if spec.per else "''"
        sql = f"select {group}, count(*), {summed} from {quoted(spec.mart)} where {where} group by 1 order by 1"
        found = [tuple(row.values()) for row in tables.rows(sql, used)] or [("", 0, None)]
        totals[spec.mart] = {key: (counted, total) for key, counted, total in found}
        rows[spec.mart] = tables.rows(f"select * from {quoted(spec.mart)} where {where} order by {spec.order}", used)
        _fill(rows[spec.mart], names, members)
    ratings = {row["final_rating"]: row for row in rows[RESULT] if row["final_rating"]}
    for row in rows["mart_review__calibration_proposal"]:
        for name in ("current_rating", "proposed_rating"):
            band = ratings.get(row[name])
            row[f"{name}_zh"] = band["final_rating_name_zh"] if band else row[name]
            row[name] = band["final_rating_name"] if band else row[name]
    missing = frozenset(spec.mart for spec in SPECS if not tables.has(spec.mart))
    return Quarter(period_id, start, end, rows, missing, totals, tables.about(), _trend(tables, end))


def _names(tables: Tables) -> dict[str, str]:
    """Names of members and dealers by code; who is not known, or not named, has none."""
    found: dict[str, str] = {}
    for table, code, name in (("dim_dealer", "dealer_id", "dealer_name"), ("dim_member", "member_id", "member_name")):
        if tables.has(table):
            rows = tables.rows(f"select {code} as code, {name} as name from {table} where is_latest order by all")
            found |= {row["code"]: row["name"] or row["code"] for row in rows}
    return found


def _members(tables: Tables, end: dt.date) -> dict[str, Row]:
    """Members as they were on the quarter's last day, or last before it."""
    if not tables.has("dim_member"):
        return {}
    return {
        row["member_id"]: row
        for row in tables.rows("select * from dim_member where valid_from < ? order by member_id, valid_from", [end])
    }


def _fill(rows: Iterable[Row], names: Mapping[str, str], members: Mapping[str, Row]) -> None:
    """Add names of people, and to rows of payees who they are."""
    for row in rows:
        if "payee_id" in row:
            row["member_id"] = row["payee_id"]
            person = members.get(row["payee_id"], {})
            row.update({name: person.get(name) for name in ("role", "team", "base_pay_amount")})
            row["base_currency_code"] = person.get("currency_code")
        for code, name in _PEOPLE.items():
            if code in row and row.get(name) is None:
                row[name] = names.get(row[code], row[code])


def _trend(tables: Tables, end: dt.date) -> list[Row]:
    found = tables.rows(
        f"""
        select period_id, count(*) as count, count(final_score) as rated_count,
            sum(final_score) as total
        from {RESULT} where period_end <= ? group by period_id, period_start order by period_start
        """,
        [end],
    )
    return [row | {"mean_final": mean_of(row["total"], row["rated_count"])} for row in found]


def mean_of(total: Decimal | None, count: int) -> Decimal | None:
    """A sum by its count, to a hundredth, half up; nothing of nothing."""
    return (total / count).quantize(Decimal("0.01"), ROUND_HALF_UP) if total is not None and count else None


def mean(values: Iterable[Any]) -> Decimal | None:
    """The mean of what there is, to a hundredth; nothing of nothing."""
    known = [Decimal(value) for value in values if value is not None]
    return mean_of(sum(known, Decimal(0)), len(known))
