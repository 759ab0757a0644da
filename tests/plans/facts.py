"""What a case says happened: documents, payments, who was who, and whose credit each line is.

Rows keep the order (date, document, line) and nothing else of the order in which they stand in the file.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from functools import cached_property
from typing import Any

import yaml
from tests.plans.case_files import Case, day, maybe, number
from tests.plans.periods import Period, parse
from tests.plans.rounding import running

from dealermart.base import REPO
from dealermart.config import Plan

HUNDRED = Fraction(100)
MADE_UP = "(made up)"


def lower_is_better() -> set[str]:
    """KPIs whose attainment is target / actual."""
    registry = yaml.safe_load((REPO / "config" / "kpis.yml").read_text("utf-8"))
    return {kpi["code"] for kpi in registry["kpis"] if kpi.get("direction") == "lower"}


LOWER_IS_BETTER = lower_is_better()


@dataclass(frozen=True)
class Line:
    """One line of a document."""

    document: str
    number: int
    kind: str  # invoice, return, credit_note
    channel: str
    day: date
    dealer: str
    product: str
    seller: str | None
    units: Fraction
    net: Fraction
    discount: Fraction
    cost: Fraction | None
    currency: str | None
    original: tuple[str, int | None] | None

    @property
    def key(self) -> tuple[date, str, int]:
        return (self.day, self.document, self.number)

    @property
    def name(self) -> tuple[str, int]:
        return (self.document, self.number)


@dataclass(frozen=True)
class Payment:
    """Money on one line of an invoice."""

    payment: str
    day: date
    line: Line
    amount: Fraction


class Facts:
    """The rows of a case, with what the page says where a column is left out."""

    def __init__(self, case: Case, plan: Plan) -> None:
        self.case, self.plan = case, plan
        self.period = parse(case["period"])
        self.inputs: dict[str, Any] = case.get("inputs") or {}
        self._days: dict[tuple[str, Period], list[date]] = {}
        self.lines = self._lines()
        self.by_name = {line.name: line for line in self.lines}
        self.payments = self._payments()

    # ------------------------------------------------------------------------------------------- documents

    def _lines(self) -> list[Line]:
        counted: dict[str, int] = defaultdict(int)
        found = []
        for row in self.case.get("sales") or []:
            document = str(row["transaction_id"])
            counted[document] += 1
            when = day(row["sale_date"])
            assert when is not None
            original = row.get("original_transaction_id")
            line_no = row.get("original_line_no")
            found.append(
                Line(
                    document,
                    int(row.get("line_no", counted[document])),
                    row.get("transaction_type", "invoice"),
                    row.get("channel", "sell_in"),
                    when,
                    str(row.get("dealer_id", MADE_UP)),
                    str(row.get("product_id", MADE_UP)),
                    None if row.get("seller_id") is None else str(row["seller_id"]),
                    number(row.get("quantity", 1)),
                    number(row["net_amount"]),
                    number(row.get("discount_amount") or 0),
                    maybe(row.get("cost_amount")),
                    row.get("currency_code"),
                    None if original is None else (str(original), None if line_no is None else int(line_no)),
                )
            )
        return sorted(found, key=lambda line: line.key)

    @cached_property
    def documents(self) -> dict[str, list[Line]]:
        found: dict[str, list[Line]] = defaultdict(list)
        for line in self.lines:
            found[line.document].append(line)
        return found

    def sale_of(self, line: Line) -> Line:
        """The line that came back, if it is known; else the line itself."""
        if line.original is None or line.kind == "invoice":
            return line
        document, line_no = line.original
        sold = [sale for sale in self.documents.get(document, []) if sale.kind == "invoice"]
        if not sold:
            return line
        wanted = line.number if line_no is None else line_no
        return next((sale for sale in sold if sale.number == wanted), sold[0])

    def returns_of(self, sale: Line) -> list[Line]:
        """What came back of a sale, in order."""
        return [line for line in self.lines if line is not sale and self.sale_of(line) is sale]

    # -------------------------------------------------------------------------------------------- payments

    def _payments(self) -> list[Payment]:
        """Payments over the lines of their invoice by what is to be paid for each on the day."""
        found: list[Payment] = []
        paid: dict[tuple[str, int], Fraction] = defaultdict(Fraction)
        received: dict[str, Fraction] = defaultdict(Fraction)
        rows = sorted(self.inputs.get("payments") or [], key=lambda row: (str(self._counts_on(row)), row["payment_id"]))
        for row in rows:
            when, amount = self._counts_on(row), number(row["amount"])
            lines = self._invoiced(row)
            if row.get("transaction_id") is None:  # on account: the oldest invoices of the dealer first
                for line in self.lines:
                    if line.dealer == str(row.get("dealer_id")) and line.kind == "invoice" and line.day <= when:
                        part = min(amount, max(Fraction(0), self._open(line, when) - paid[line.name]))
                        if part > 0:
                            amount -= part
                            paid[line.name] += part
                            found.append(Payment(str(row["payment_id"]), when, line, part))
                continue
            if not lines:
                continue
            # What is paid beyond the invoice stays on account, and is what a refund takes first. The lines share the
            # cents of what came in so far by what is to be paid for each.
            document = str(row["transaction_id"])
            received[document] += amount
            to_pay = {line.name: self._open(line, when) for line in lines}
            counted = max(Fraction(0), min(received[document], sum(to_pay.values(), Fraction(0))))
            parts = running(to_pay, counted) if counted else {}
            for line in lines:
                part = parts.get(line.name, Fraction(0))
                if part != paid[line.name]:
                    found.append(Payment(str(row["payment_id"]), when, line, part - paid[line.name]))
                    paid[line.name] = part
        return found

    def _invoiced(self, row: dict[str, Any]) -> list[Line]:
        """The lines of the invoice that a payment names."""
        return [line for line in self.documents.get(str(row.get("transaction_id")), []) if line.kind == "invoice"]

    def _counts_on(self, row: dict[str, Any]) -> date:
        """The day from which a payment counts: one in advance from that of its invoice on."""
        when = day(row["payment_date"])
        assert when is not None
        return max([when, *(line.day for line in self._invoiced(row))])

    def _open(self, line: Line, when: date) -> Fraction:
        """What of a line is to be paid, without what came back of it up to a day."""
        return line.net + sum((back.net for back in self.returns_of(line) if back.day <= when), Fraction(0))

    def paid_part(self, sale: Line, before: date) -> Fraction:
        """Which part of a line had been paid before a day."""
        if sale.net == 0:
            return Fraction(0)
        got = sum((pay.amount for pay in self.payments if pay.line is sale and pay.day < before), Fraction(0))
        return got / sale.net

    # ----------------------------------------------------------------------------------------- who was who

    def _row_on(self, feed: str, key: str, value: str, when: date) -> dict[str, Any]:
        """The row of a dated feed that holds on a day; empty where there is none."""
        best: tuple[date, dict[str, Any]] | None = None
        for row in self.inputs.get(feed) or []:
            if str(row[key]) != value:
                continue
            start, end = day(row.get("valid_from")) or date.min, day(row.get("valid_to")) or date.max
            if start <= when < end and (best is None or start >= best[0]):
                best = (start, row)
        return best[1] if best else {}

    def member_on(self, member: str, when: date) -> dict[str, Any]:
        return self._row_on("team_members", "member_id", member, when)

    def dealer_on(self, dealer: str, when: date) -> dict[str, Any]:
        return self._row_on("dealers", "dealer_id", dealer, when)

    def product_on(self, product: str, when: date) -> dict[str, Any]:
        return self._row_on("products", "product_id", product, when)

    def is_employed(self, member: str, when: date) -> bool:
        """From the first day of employment to the day before the member left."""
        rows = [row for row in self.inputs.get("team_members") or [] if str(row["member_id"]) == member]
        for row in rows:
            hired, left = day(row.get("hired_date")), day(row.get("left_date"))
            if (hired and when < hired) or (left and when >= left):
                return False
        return True

    def left_on(self, member: str) -> date | None:
        rows = [row for row in self.inputs.get("team_members") or [] if str(row["member_id"]) == member]
        return next((day(row["left_date"]) for row in rows if row.get("left_date")), None)

    def first_purchase(self, dealer: str) -> date | None:
        bought = [
            line.day
            for line in self.lines
            if line.dealer == dealer and line.kind == "invoice" and line.channel == "sell_in"
        ]
        return min(bought, default=None)

    # ----------------------------------------------------------------------------------------------- credit

    def direct_shares(self, sale: Line) -> dict[str, tuple[str, Fraction]]:
        """Member -> role and share of a line; nobody where shares are more than the whole."""
        if sale.seller is not None:
            return {sale.seller: ("seller", Fraction(1))}
        rows = [row for row in self._assigned(sale) if row["role"] in ("owner", "co_owner")]
        stated = sum((number(row["split_pct"]) for row in rows if row.get("split_pct") is not None), Fraction(0))
        silent = [row for row in rows if row.get("split_pct") is None]
        if stated > HUNDRED or len(silent) > 1:
            return {}
        shares: dict[str, tuple[str, Fraction]] = {}
        for row in rows:
            pct = HUNDRED - stated if row.get("split_pct") is None else number(row["split_pct"])
            shares[str(row["member_id"])] = (row["role"], pct / HUNDRED)
        return shares

    def _assigned(self, sale: Line) -> list[dict[str, Any]]:
        return [
            row
            for row in self.inputs.get("assignments") or []
            if str(row["dealer_id"]) == sale.dealer
            and (day(row.get("valid_from")) or date.min) <= sale.day < (day(row.get("valid_to")) or date.max)
        ]

    def share(self, payee: str, sale: Line, roles: tuple[str, ...]) -> Fraction:
        """The payee's credit of a line by the roles that count."""
        credit = Fraction(0)
        if "dealer" in roles and sale.dealer == payee:
            return Fraction(1)
        direct = self.direct_shares(sale)
        if payee in direct and direct[payee][0] in roles:
            credit += direct[payee][1]
        if "overlay" in roles:
            for row in self._assigned(sale):
                if row["role"] == "overlay" and str(row["member_id"]) == payee:
                    credit += number(row.get("split_pct", 100)) / HUNDRED
        if "rollup" in roles:
            for member, (_, part) in direct.items():
                if payee in self._managers(member, sale.day):
                    credit += part
        return credit

    def _managers(self, member: str, when: date) -> set[str]:
        above: set[str] = set()
        each = self.member_on(member, when).get("manager_id")
        while each is not None and str(each) not in above:
            above.add(str(each))
            each = self.member_on(str(each), when).get("manager_id")
        return above - {member}

    # --------------------------------------------------------------------------------------------- currency

    def rate(self, source: str | None, target: str | None, when: date, kind: str) -> Fraction | None:
        """The rate of a day; None where there is none."""
        if source is None or target is None or source == target:
            return Fraction(1)
        rows = [
            row
            for row in self.inputs.get("fx_rates") or []
            if row["from_currency_code"] == source and row["to_currency_code"] == target and row["rate_type"] == kind
        ]
        known = [(day(row["rate_date"]) or date.min, number(row["rate"])) for row in rows]
        known = [found for found in known if found[0] <= when]
        return max(known)[1] if known else None

    # ------------------------------------------------------------------------------------------ plan and days

    def assignment_on(self, payee: str, when: date) -> dict[str, Any] | None:
        """Of the payee's assignments that hold on a day the one that began last."""
        best: tuple[date, dict[str, Any]] | None = None
        for row in self.case["payees"]:
            if str(row["payee_id"]) != payee:
                continue
            start, end = day(row.get("valid_from")) or date.min, day(row.get("valid_to")) or date.max
            if start <= when < end and (best is None or start > best[0]):
                best = (start, row)
        return best[1] if best else None

    def has_plan(self, payee: str, when: date) -> bool:
        """Whether plan, assignment and employment hold on a day."""
        plan = self.plan
        if (plan.valid_from and when < plan.valid_from) or (plan.valid_to and when >= plan.valid_to):
            return False
        return self.assignment_on(payee, when) is not None and self.is_employed(payee, when)

    def days_with_plan(self, payee: str, period: Period) -> list[date]:
        if (payee, period) not in self._days:
            self._days[payee, period] = [when for when in period.all_days if self.has_plan(payee, when)]
        return self._days[payee, period]

    def number_of_period(self, payee: str, period: Period) -> int:
        """Which of the payee's periods with the plan this is, from 1; without a beginning it is one of many."""
        starts = [day(row.get("valid_from")) for row in self.case["payees"] if str(row["payee_id"]) == payee]
        hired = [
            day(row.get("hired_date"))
            for row in self.inputs.get("team_members") or []
            if str(row["member_id"]) == payee
        ]
        begins = [found for found in (self.plan.valid_from, *hired) if found]
        if all(starts):
            begins.append(min(start for start in starts if start))
        if not begins:
            return 10**6
        each, count = period, 0
        while each.end > max(begins):
            count += bool(self.days_with_plan(payee, each))
            each = each.shifted(-1)
        return count

    def leave(self, payee: str, when: date, unpaid_only: bool) -> Fraction:
        """The part of a day on which the payee is away, at most all of it."""
        part = Fraction(0)
        for row in self.inputs.get("absences") or []:
            if str(row["member_id"]) != payee:
                continue
            if unpaid_only and (row.get("is_paid") is True or (row.get("is_paid") is None and row["kind"] != "unpaid")):
                continue
            if (day(row["valid_from"]) or date.min) <= when < (day(row.get("valid_to")) or date.max):
                part += number(100 if row.get("absence_pct") is None else row["absence_pct"]) / HUNDRED
        return min(part, Fraction(1))

    def part_of(self, payee: str, period: Period, prorate: str, with_leave: bool) -> Fraction:
        """What part of a period counts."""
        if prorate in ("none", "equal"):
            return Fraction(1)
        if prorate == "months":
            ends = period.month_ends
            return Fraction(sum(self.has_plan(payee, end) for end in ends), len(ends))
        days = [when for when in period.all_days if prorate == "calendar_days" or when.weekday() < 5]
        counted = Fraction(0)
        for when in days:
            if self.has_plan(payee, when):
                counted += 1 - (self.leave(payee, when, unpaid_only=False) if with_leave else 0)
        return counted / len(days) if days else Fraction(0)

    def target_pay(self, payee: str, period: Period) -> Fraction | None:
        """Target pay of a period; None where the plan has none, or an assignment does not say it."""
        stated = self.plan.target_pay
        if stated is None:
            return None
        total = Fraction(0)
        for when in self.days_with_plan(payee, period):
            row = self.assignment_on(payee, when)
            amount = number(stated.amount) if stated.amount is not None else maybe((row or {}).get("target_pay_amount"))
            if amount is None:
                return None
            total += amount * (1 - self.leave(payee, when, unpaid_only=True))
        if stated.per == "year":
            total = total * period.months / 12
        return total / period.length

    def currency_of(self, payee: str, period: Period) -> str | None:
        if self.plan.currency != "payee":
            return self.plan.currency
        days = self.days_with_plan(payee, period)
        row = self.assignment_on(payee, days[-1]) if days else None
        return (row or {}).get("currency_code")

    # ---------------------------------------------------------------------------------------- KPIs, targets

    def subject(self, payee: str, kind: str, period: Period) -> tuple[str, str | None]:
        """Type and code of whose value or target is asked for."""
        if kind in ("self", "dealer"):
            return (self.plan.payee, payee)
        if kind == "company":
            return ("company", "company")
        days = self.days_with_plan(payee, period)
        row = self.member_on(payee, days[-1]) if days and self.plan.payee == "member" else {}
        if self.plan.payee == "dealer" and days:
            row = self.dealer_on(payee, days[-1])
        return (kind, row.get(kind))

    def kpi(self, code: str, subject: str, payee: str, period: Period) -> Fraction | None:
        """The value of a KPI in a period; None where it is not there."""
        kind, who = self.subject(payee, subject, period)
        for row in self.inputs.get("kpi_values") or []:
            of = parse(row["period"]) if row.get("period") else self.period
            if (
                row["kpi_code"] == code
                and row.get("subject_type", self.plan.payee) == kind
                and str(row["subject_id"]) == str(who)
                and of == period
                and row.get("value") is not None
            ):
                return number(row["value"])
        return None

    def target_rows(self, payee: str, component: Any, period: Period) -> list[tuple[date, date, Fraction]]:
        """The payee's rows of the feed of targets: window and value."""
        kind, who = self.subject(payee, component.target.subject, period)
        found = []
        for row in self.case.get("targets") or []:
            if (
                row.get("subject_type", "member" if kind == "member" else self.plan.payee) == kind
                and str(row["subject_id"]) == str(who)
                and row.get("metric", "net_revenue") == component.target.metric
                and row.get("product_category") == component.target_category
            ):
                start = day(row.get("valid_from")) or self.period.start
                end = day(row.get("valid_to")) or self.period.end
                found.append((start, end, number(row["target_value"])))
        return found


def next_day(when: date) -> date:
    """The day after."""
    return when + timedelta(1)
