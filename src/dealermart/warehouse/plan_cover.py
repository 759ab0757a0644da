"""Who should be paid in a period and is covered by no plan."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import NamedTuple

import duckdb

from dealermart.base import BuildError, DataError, Settings, connect
from dealermart.config import Company, Plan
from dealermart.warehouse.build import finished
from dealermart.warehouse.calendar import period_bounds


class Payee(NamedTuple):
    """A payee of the period and a plan that is assigned; None: none is."""

    payee_type: str
    payee_id: str
    plan_id: str | None


class Uncovered(NamedTuple):
    """A payee whom no plan covers, and why."""

    payee_id: str
    reason: str


def payees_of(settings: Settings, company: Company, period: str) -> list[Payee]:
    """Whom the warehouse knows as a payee of the period: who is assigned to a plan, and members who sell.

    Raises:
        BuildError: there is no finished build, or it has no plans. UsageError: ``period`` is none, or nothing was
            ingested yet.
    """
    start, end = period_bounds(company, period)
    finished(settings)
    con = connect(settings, settings.warehouse, read_only=True)
    try:
        found = con.execute(
            """
            with assigned as (
                select distinct payee_type, payee_id, plan_id
                from intermediate.int_incentive__payee_period
                where scenario_id = 'paid' and period_start < $end and period_end > $start
            ),
            sells as (
                select distinct member_id
                from marts.dim_member
                where
                    role = 'sales'
                    and valid_from < $end and coalesce(valid_to, date '9999-12-31') > $start
                    and coalesce(left_date, date '9999-12-31') > $start
            )
            select payee_type, payee_id, plan_id from assigned
            union all
            select 'member', member_id, null from sells
            where member_id not in (select payee_id from assigned where payee_type = 'member')
            order by all
            """,
            {"start": start, "end": end},
        ).fetchall()
    except duckdb.CatalogException:
        raise BuildError(
            "the warehouse has no payees of plans", where=str(settings.warehouse), mend="run `dealermart build --full`"
        ) from None
    finally:
        con.close()
    return [Payee(*row) for row in found]


def read_payees(path: Path) -> list[Payee]:
    """Payees of a CSV file with the columns payee_id and plan_id, and payee_type where they are not members.

    Raises:
        DataError: the file is missing, is no UTF-8, or lacks a column.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            lost = {"payee_id", "plan_id"} - set(reader.fieldnames or ())
            if lost:
                raise DataError(
                    f"the list has no column {', '.join(sorted(lost))}",
                    where=f"{path}:1",
                    mend="give payee_id and plan_id, and payee_type where they are not members",
                )
            return [Payee(row.get("payee_type") or "member", row["payee_id"], row["plan_id"] or None) for row in reader]
    except FileNotFoundError:
        raise DataError("the file does not exist", where=str(path), mend="correct its name") from None
    except UnicodeDecodeError:
        raise DataError("the file is not UTF-8", where=str(path), mend="save it as UTF-8") from None


def uncovered(company: Company, period: str, payees: Iterable[Payee], plans: Iterable[Plan]) -> list[Uncovered]:
    """The payees whom none of the plans pays in the period, each once, in the order of their codes.

    Raises:
        UsageError: ``period`` is none.
    """
    start, end = period_bounds(company, period)
    versions: dict[str, list[Plan]] = {}
    for plan in plans:
        versions.setdefault(plan.plan, []).append(plan)
    reasons: dict[str, list[str | None]] = {}
    for payee in payees:
        reasons.setdefault(payee.payee_id, []).append(_reason(payee, versions, start, end))
    return [
        Uncovered(payee_id, "; ".join(sorted({reason for reason in found if reason is not None})))
        for payee_id, found in sorted(reasons.items())
        if None not in found
    ]


def _reason(payee: Payee, versions: dict[str, list[Plan]], start: date, end: date) -> str | None:
    """Why the assigned plan does not pay the payee; None where it does."""
    if payee.plan_id is None:
        return "no plan is assigned"
    found = versions.get(payee.plan_id)
    if not found:
        return f"{payee.plan_id} is assigned, which is no plan"
    if all(plan.payee != payee.payee_type for plan in found):
        return f"{payee.plan_id} is assigned, which is not for a {payee.payee_type}"
    holds = any(
        (plan.valid_from is None or plan.valid_from < end) and (plan.valid_to is None or plan.valid_to > start)
        for plan in found
    )
    return None if holds else f"{payee.plan_id} is assigned, which does not hold in the period"
