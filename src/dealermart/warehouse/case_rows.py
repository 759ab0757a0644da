"""The small world of a plan test: its rows with their defaults, under ids of its own.

All cases of a run lie in one warehouse. Ids, teams and regions bear the case's mark in front, so that no case sees
another's rows; what is read back is freed of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any, NamedTuple

from dealermart.base import UsageError
from dealermart.config import Company, Contract, Kpi, Plan, TestCase
from dealermart.warehouse import plan_tables

Row = dict[str, Any]

MARK = re.compile(r"t\d+~")

# Whom and what rows name that name nobody.
DEALER, PRODUCT, TEAM, REGION = "dealer", "product", "team", "region"

_MEMBERS = ("member_id", "seller_id", "manager_id")

_DEALERS = ("dealer_id", "parent_dealer_id")

# Besides ids: names that are subjects of targets and KPIs.
_NAMES = ("team", "region")


class Span(NamedTuple):
    """A fiscal period: first day, and first day after it."""

    period_id: str
    start: date
    end: date


def span_of(first_month: int, period: str) -> Span:
    """The period that a case names: 2026-01 (the month), 2026-M01, 2026-Q1 or 2026 (fiscal ones).

    Raises:
        UsageError: it is none.
    """
    found = re.fullmatch(r"(\d{4})(?:-([QM]?)(\d{1,2}))?", period)
    if found is None:
        raise UsageError(f"{period} is no period", mend="write 2026-01, 2026-Q1 or 2026")
    year, number = int(found[1]), int(found[3] or 1)
    if found[3] and not found[2]:
        day = date(year, number, 1)
        fiscal_year = year + (first_month > 1 and number >= first_month)
        return Span(f"{fiscal_year}-M{(number - first_month) % 12 + 1:02d}", day, _later(day, 1))
    begins = date(year - (first_month > 1), first_month, 1)
    length = {None: 12, "Q": 3, "M": 1}[found[2]]
    start = _later(begins, (number - 1) * length)
    name = {None: f"{year}", "Q": f"{year}-Q{number}", "M": f"{year}-M{number:02d}"}[found[2]]
    return Span(name, start, _later(start, length))


def calendar_start(first_month: int, earliest: date) -> date:
    """First day of the fiscal year before the one of a day: a year of history, for new dealers and for last year."""
    year = earliest.year - (earliest.month < first_month)
    return date(year - 1, first_month, 1)


def _later(day: date, months: int) -> date:
    number = day.year * 12 + day.month - 1 + months
    return date(number // 12, number % 12 + 1, 1)


@dataclass(frozen=True)
class World:
    """A case in its run.

    Attributes:
        mark: What stands in front of its ids.
        company: Of the run, with the calendar that all of its cases need.
    """

    test: TestCase
    mark: str
    company: Company
    contracts: Mapping[str, Contract]
    kpis: Mapping[str, Kpi]
    _names: dict[str, int] = field(default_factory=dict, compare=False)

    @cached_property
    def span(self) -> Span:
        return span_of(self.company.fiscal_year_start_month, self.test.case.period)

    @property
    def plan(self) -> Plan:
        """The plan that pays who names none."""
        return self.test.plans[0][1]

    @property
    def currency(self) -> str:
        return self.company.reporting_currency

    @cached_property
    def _types(self) -> dict[str, str]:
        """Plan -> type of its payees."""
        return {plan.plan: plan.payee for _, plan in self.test.plans}

    def kind_of(self, payee: str) -> str:
        """Member or dealer."""
        return next((row["payee_type"] for row in self._payees if row["payee_id"] == payee), self.plan.payee)

    def plan_of(self, payee: str) -> str:
        return next((row["plan_id"] for row in self._payees if row["payee_id"] == payee), self.plan.plan)

    # ------------------------------------------------------------------ rows with defaults, ids as the case has them

    def feeds(self) -> dict[str, list[Row]]:
        """Rows of every feed, in the lake's columns without provenance, ids marked."""
        given = self.test.case.feeds(self.contracts)
        rows = {name: [dict(row) for row in found] for name, found in given.items()}
        rows["plan_assignments"] = self._payees
        rows["sales"] = list(self._sales(rows.get("sales", [])))
        rows["targets"] = list(self._targets(rows.get("targets", [])))
        rows["payments"] = list(self._payments(rows.get("payments", []), rows["sales"]))
        rows["fx_rates"] = list(self._fx_rates(rows.get("fx_rates", [])))
        for name, defaults in self._defaults().items():
            rows[name] = [
                self._filled(row, {key: value() for key, value in defaults.items()}) for row in rows.get(name, [])
            ]
        self._add_masters(rows)
        return {name: [self._marked(row) for row in found] for name, found in rows.items()}

    @cached_property
    def _payees(self) -> list[Row]:
        found = []
        for given in self.test.case.rows("plan_assignments"):
            plan = given.get("plan_id") or self.plan.plan
            defaults = {
                "plan_assignment_id": self._new("assignment"),
                "plan_id": plan,
                "payee_type": self._types.get(plan, self.plan.payee),
                "currency_code": self.currency,
                "valid_from": self.begins,
            }
            found.append(self._filled(given, defaults))
        return found

    @cached_property
    def begins(self) -> date:
        """First day of the first period that is reckoned: the first with any event, the case's own at the latest.

        What came before it a case does not tell, so nobody had a plan, nor a draw, nor a balance. What accumulates over
        the year begins with it, and a ramp with the plan.
        """
        case, plans = self.test.case, [plan for _, plan in self.test.plans]
        first = self.company.fiscal_year_start_month
        days = [self.span.start]
        for name, contract in self.contracts.items():
            if contract.event_date:
                told = (row.get(contract.event_date) for row in case.rows(name))
                days += [day for day in told if type(day) is date]
        days += [span_of(first, row["period"]).start for row in case.rows("kpi_values") if row.get("period")]
        earliest = min(days)
        components = [component for plan in plans for component in plan.components]
        if any(component.target is not None and component.target.ramp for component in components):
            earliest = min([earliest, *(plan.valid_from or self.company.calendar_start for plan in plans)])
        of_year = any(component.accumulate == "year_to_date" for component in components)
        kinds = {plan.period for plan in plans} | ({"year"} if of_year else set())
        length = 12 if "year" in kinds else 3 if "quarter" in kinds else 1
        month = date(earliest.year, earliest.month, 1)
        return _later(month, -((month.month - first) % length))

    def _sales(self, given: Iterable[Row]) -> Iterator[Row]:
        lines: dict[str, int] = {}
        for row in given:
            is_return = Decimal(row["net_amount"]) < 0
            document = row.get("transaction_id") or self._new("sale")
            lines[document] = row.get("line_no") or lines.get(document, 0) + 1
            original = {"original_line_no": 1} if row.get("original_transaction_id") else {}
            yield self._filled(
                row,
                {
                    "transaction_id": document,
                    "line_no": lines[document],
                    "transaction_type": "return" if is_return else "invoice",
                    "channel": "sell_in",
                    "dealer_id": DEALER,
                    "product_id": PRODUCT,
                    "quantity": -1 if is_return else 1,
                    "currency_code": self.currency,
                    **original,
                },
            )

    def _targets(self, given: Iterable[Row]) -> Iterator[Row]:
        metrics = {
            component.target.metric
            for _, plan in self.test.plans
            for component in plan.components
            if component.target is not None and component.target.metric is not None
        }
        usual = metrics.pop() if len(metrics) == 1 else "net_revenue"
        for row in given:
            metric = row.get("metric") or usual
            unit = self.kpis[metric].unit if metric in self.kpis else "currency"
            company = {"subject_type": "company"} if row["subject_id"] == "company" else {}
            yield self._filled(
                row,
                {
                    "target_id": self._new("target"),
                    "subject_type": self.kind_of(row["subject_id"]),
                    "metric": metric,
                    "valid_from": self.span.start,
                    "valid_to": self.span.end,
                    "unit": {"currency": self.currency, "share": "percent"}.get(unit, "count"),
                    **company,
                },
            )

    def _payments(self, given: Iterable[Row], sales: Iterable[Row]) -> Iterator[Row]:
        sold = {row["transaction_id"]: row for row in sales}
        for row in given:
            paid = sold.get(row.get("transaction_id"), {})
            yield self._filled(
                row,
                {
                    "payment_id": self._new("payment"),
                    "payment_type": "refund" if Decimal(row["amount"]) < 0 else "payment",
                    "currency_code": paid.get("currency_code", self.currency),
                    "dealer_id": paid.get("dealer_id"),
                },
            )

    def _fx_rates(self, given: Iterable[Row]) -> Iterator[Row]:
        for row in given:
            for kind in (row["rate_type"],) if row.get("rate_type") else ("market", "plan"):
                defaults = {
                    "rate_date": self.company.calendar_start,
                    "to_currency_code": self.currency,
                    "rate_type": kind,
                }
                yield self._filled(row, defaults)

    def _defaults(self) -> dict[str, dict[str, Any]]:
        """Of feeds whose defaults do not hang on the row."""

        def always(value: Any) -> Any:
            return lambda: value

        start = always(self.company.calendar_start)
        return {
            "assignments": {"role": always("owner"), "valid_from": start},
            "absences": {
                "absence_id": lambda: self._new("absence"),
                "kind": always("other"),
                "is_paid": always(True),
            },
            "adjustments": {
                "adjustment_id": lambda: self._new("adjustment"),
                "payee_type": always(self.plan.payee),
                "effective_date": always(self.span.start),
                "currency_code": always(self.currency),
                "reason": always("adjustment"),
                "approved_by_id": always("approver"),
                "approved_date": always(self.span.start),
            },
        }

    def _add_masters(self, rows: dict[str, list[Row]]) -> None:
        """Members, dealers and products: those given, and those that any row names."""
        start = self.company.calendar_start
        named: dict[str, dict[str, None]] = {"member": {}, "dealer": {}, "product": {}}
        managers = {row.get("manager_id") for row in rows.get("team_members", [])}
        for found in rows.values():
            for row in found:
                for kind, columns in (("member", _MEMBERS), ("dealer", _DEALERS), ("product", ("product_id",))):
                    named[kind] |= dict.fromkeys(row[column] for column in columns if row.get(column))
                for place in ("payee", "subject"):
                    if row.get(f"{place}_type") in ("member", "dealer"):
                        named[row[f"{place}_type"]][row[f"{place}_id"]] = None
        for row in self.kpi_values():
            if row["subject_type"] in ("member", "dealer"):
                named[row["subject_type"]][row["subject_id"]] = None
        masters: dict[str, tuple[str, dict[str, Any]]] = {
            "team_members": ("member", {"role": "sales", "team": TEAM, "region": REGION}),
            "dealers": ("dealer", {"region": REGION, "status": "active"}),
            "products": ("product", {}),
        }
        for feed, (kind, defaults) in masters.items():
            key, name = f"{kind}_id", f"{kind}_name"
            given = rows.get(feed, [])
            known = {row[key] for row in given}
            listed = [*given, *({key: code} for code in named[kind] if code not in known)]
            rows[feed] = [
                self._filled(
                    row,
                    {"valid_from": start, name: row[key]}
                    | defaults
                    | ({"role": "manager"} if kind == "member" and row[key] in managers else {}),
                )
                for row in listed
            ]

    def kpi_values(self) -> list[Row]:
        """Values of KPIs, ids as the case has them."""
        found = []
        for row in self.test.case.rows("kpi_values"):
            kind = row.get("subject_type") or (
                "company" if row["subject_id"] == "company" else self.kind_of(row["subject_id"])
            )
            first = self.company.fiscal_year_start_month
            period = span_of(first, row["period"]) if row.get("period") else self.span
            found.append(
                {
                    "subject_type": kind,
                    "subject_id": row["subject_id"],
                    "period_id": period.period_id,
                    "period_start": period.start,
                    "period_end": period.end,
                    "kpi_code": row["kpi_code"],
                    "value": row["value"],
                }
            )
        return found

    def marked_kpi_values(self) -> list[Row]:
        """The same under the case's mark. The company is everybody's: there the code of the KPI bears it."""
        return [
            row | ({"kpi_code": self.mark + row["kpi_code"]} if row["subject_type"] == "company" else {})
            for row in map(self._marked, self.kpi_values())
        ]

    def before(self, name: str) -> list[Row]:
        """What was paid (``paid``), and what is carried into the case's period (``balances_before``), ids marked."""
        first = self.company.fiscal_year_start_month
        found = []
        unpaid = self._unpaid() if name == "paid" else []
        for row in [*self.test.case.rows(name), *unpaid]:
            told = {
                "scenario_id": plan_tables.PAID,
                "payee_type": self.kind_of(row["payee"]),
                "payee_id": row["payee"],
                "plan_id": self.plan_of(row["payee"]),
                "component_id": row.get("component") or self._only_component(row["payee"]),
                "currency_code": row.get("currency") or self._paid_in(row["payee"]),
                "amount": row["amount"],
            }
            if name == "paid":
                told["period_id"] = span_of(first, row["period"]).period_id
            else:
                told["balance"] = row["balance"]
                told["period_id"] = span_of(first, self.test.case.period).period_id
            found.append(self._marked(told, keep=("component_id",)))
        return found

    def _unpaid(self) -> list[Row]:
        """Nothing, paid for the period before, to whom no payment is told and the year is paid less what was paid."""
        year, _, number = self.span.period_id.partition("-")
        before = f"{year}-{number[0]}{int(number[1:]) - 1}" if number and int(number[1:]) > 1 else None
        less_paid = {plan.plan: plan.components for _, plan in self.test.plans if plan.year_to_date_less_paid}
        told = {row["payee"] for row in self.test.case.rows("paid")}
        return [
            {"payee": payee, "component": component.id, "period": before, "amount": 0}
            for payee in dict.fromkeys(row["payee_id"] for row in self._payees)
            if before and payee not in told
            for component in less_paid.get(self.plan_of(payee), ())
        ]

    def _only_component(self, payee: str) -> str | None:
        """The component of somebody's plan, where it has one alone."""
        components = next((plan.components for _, plan in self.test.plans if plan.plan == self.plan_of(payee)), ())
        return components[0].id if len(components) == 1 else None

    def _paid_in(self, payee: str) -> str:
        """The currency in which somebody is paid."""
        paid = self.plan_of(payee)
        stated = next((plan.currency for _, plan in self.test.plans if plan.plan == paid), "payee")
        if stated != "payee":
            return stated
        return str(next((row["currency_code"] for row in self._payees if row["payee_id"] == payee), self.currency))

    # ------------------------------------------------------------------ plans

    def plans(self) -> dict[str, list[Row]]:
        """Rows of every table of plans, ids marked."""
        tables: dict[str, list[Row]] = {name: [] for name in plan_tables.SCHEMAS}
        for file, plan in self.test.plans:
            for name, rows in plan_tables.plan_rows(file, plan).items():
                columns = list(plan_tables.SCHEMAS[name])
                tables[name] += [self._marked_plan(name, dict(zip(columns, row, strict=True))) for row in rows]
        return tables

    def _marked_plan(self, table: str, row: Row) -> Row:
        row["plan_id"] = self.mark + row["plan_id"]
        if table == "plan" and row["currency_code"]:
            row["currency_code"] = self._currency(row["currency_code"])
        if table == "plan_filter":
            for name in ("product", "dealer", "region"):
                if row[name] is not None:
                    row[name] = "|" + "".join(f"{self.mark}{value}|" for value in row[name].strip("|").split("|"))
        for subject, code in (("kpi_subject", "kpi_code"), ("modifier_subject", "modifier_kpi_code")):
            if row.get(subject) == "company":
                row[code] = self.mark + row[code]
        return row

    # ------------------------------------------------------------------ marks

    def _filled(self, row: Row, defaults: Row) -> Row:
        """A row; what it says itself stands, nothing (null) too."""
        return defaults | row

    def _new(self, kind: str) -> str:
        self._names[kind] = self._names.get(kind, 0) + 1
        return f"{kind}{self._names[kind]}"

    @cached_property
    def _has_rates(self) -> bool:
        return bool(self.test.case.rows("fx_rates"))

    def _currency(self, code: str) -> str:
        """Rates are everybody's, so the currencies of a case that has rates of its own are its own, too."""
        return self.mark + code if self._has_rates and code != self.currency else code

    def _marked(self, row: Row, keep: tuple[str, ...] = ()) -> Row:
        marked = dict(row)
        for name, value in row.items():
            if value is None or name in keep or name == "period_id" or name == "scenario_id":
                continue
            if name.endswith("currency_code") or (
                name == "unit" and value not in ("count", "percent") and "target_value" in row
            ):
                marked[name] = self._currency(value)
            elif name == "subject_id" and row.get("subject_type") in ("company", "category"):
                continue
            elif name.endswith("_id") or name in _NAMES:
                marked[name] = f"{self.mark}{value}"
        return marked


def unmarked(value: Any) -> Any:
    """A value as the case would write it."""
    return MARK.sub("", value) if isinstance(value, str) else value
