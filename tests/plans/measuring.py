"""Stages 0 to 5 of the second reckoning: whose events count for a component, how much they are, against what target."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from fractions import Fraction
from functools import cached_property
from typing import Any

from tests.plans.amounts import NOTHING, WHOLE, Event, Outcome, Settings
from tests.plans.case_files import Case, number
from tests.plans.facts import LOWER_IS_BETTER, Facts, Line, Payment
from tests.plans.periods import Period, of_day

from dealermart.config import Plan


class Measuring:
    """One case, reckoned."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.plan = Plan.model_validate(case["plan"])
        self.facts = Facts(case, self.plan)
        self.period = self.facts.period
        self._events: dict[tuple[str, str, bool], list[Event]] = {}
        self._outcomes: dict[Any, Outcome | None] = {}
        self._takings: dict[Any, list[tuple[str, Fraction]]] = {}
        self.by_document: dict[tuple[str, str, str], Fraction] = defaultdict(Fraction)

    @cached_property
    def payees(self) -> list[str]:
        found: list[str] = []
        for row in self.case["payees"]:
            if str(row["payee_id"]) not in found:
                found.append(str(row["payee_id"]))
        return [payee for payee in found if self.facts.days_with_plan(payee, self.period)]

    def component(self, code: str) -> Any:
        return self.plan.by_id[code]

    # ------------------------------------------------------------------------------- stages 1 to 3: what counts

    def events(self, payee: str, component: Any, whenever: bool = False) -> list[Event]:
        """The payee's events of a component, of all times; ``whenever``: also before the payee had the plan."""
        found = self._events.get((payee, component.id, whenever))
        if found is None:
            found = self._events[payee, component.id, whenever] = self._find_events(payee, component, whenever)
        return found

    def _find_events(self, payee: str, component: Any, whenever: bool) -> list[Event]:
        facts, found = self.facts, []
        if component.measure.kpi is not None:
            return []
        roles = component.credits(self.plan.payee)
        collected = component.due.pct("collected") == 100
        for line in facts.lines:
            sale = facts.sale_of(line)
            if not whenever and not facts.has_plan(payee, sale.day):
                continue
            rules = self._rules_of(component, sale)
            share = facts.share(payee, sale, roles)
            if not rules or share == 0:
                continue
            if collected:
                if line is not sale:
                    continue
                for pay in facts.payments:
                    if pay.line is line and line.net != 0:
                        found.append(self._event(payee, component, line, share, rules, pay))
            else:
                found.append(self._event(payee, component, line, share, rules, None))
        return sorted(found, key=lambda event: event.key)

    def _event(
        self, payee: str, component: Any, line: Line, share: Fraction, rules: tuple[int, ...], payment: Payment | None
    ) -> Event:
        sale = self.facts.sale_of(line)
        when, part, pay = line.day, WHOLE, ""
        if payment is not None:
            when, part, pay = payment.day, payment.amount / line.net, payment.payment
        facts = self.facts
        rate: Fraction | None = WHOLE
        if component.currency is None:
            wanted = facts.currency_of(payee, of_day(self.plan.period, sale.day))
            rate = facts.rate(line.currency, wanted, sale.day, component.rate_type or self.plan.rate_type)
        exchange = rate if rate is not None else NOTHING
        money_part = share * part * exchange
        cost = None if line.cost is None else line.cost * money_part
        of = component.measure.of
        measure: Fraction | None
        if of == "net_revenue" or of == "collected_amount":
            measure = line.net * money_part
        elif of == "gross_revenue":
            measure = (line.net + line.discount) * money_part
        elif of == "gross_margin":
            measure = None if line.cost is None else (line.net - line.cost) * money_part
            floored = component.measure.floor is not None
            if floored and sale.cost is not None and sale.net - sale.cost < 0:
                measure = NOTHING
        elif of == "units":
            measure = line.units * share * part
        else:
            measure = self._deals(line, sale, component) * share * part
        units = measure if of == "deals" and measure is not None else line.units * share * part
        return Event(
            (when, line.document, line.number, pay), line, sale, when, share, part, measure, units,
            line.net * money_part, cost, line.discount * money_part, rules, line.currency, rate is None,
        )  # fmt: skip

    def _deals(self, line: Line, sale: Line, component: Any) -> Fraction:
        """An invoice counts with its first line that the component has, until the return that leaves nothing of these."""
        facts = self.facts
        mine = [
            each
            for each in facts.documents[sale.document]
            if each.kind == "invoice" and self._rules_of(component, each)
        ]
        if line is sale:
            return WHOLE if mine and line is mine[0] and line.kind == "invoice" else NOTHING
        back = sorted((each for sold in mine for each in facts.returns_of(sold)), key=lambda each: each.key)
        left = sum((each.net for each in mine), NOTHING)
        for each in back:
            before = left
            left += each.net
            if each is line:
                return -WHOLE if before > 0 and left <= 0 else NOTHING
        return NOTHING

    def _rules_of(self, component: Any, sale: Line) -> tuple[int, ...]:
        """Which rules of the component have a line; none: it is no event of the component."""
        if not any(self._meets(sale, conditions) for conditions in component.alternatives):
            return ()
        wanting = [
            index
            for index, rule in enumerate(component.rate_rules)
            if any(self._meets(sale, conditions) for conditions in rule.filter.alternatives)
        ]
        if component.precedence == "add" or not wanting:
            return tuple(wanting)
        if component.precedence == "first":
            return (wanting[0],)
        return (max(wanting, key=lambda index: (component.rate_rules[index].filter.specificity, -index)),)

    def _meets(self, sale: Line, conditions: dict[str, Any]) -> bool:
        facts = self.facts
        product, dealer = facts.product_on(sale.product, sale.day), facts.dealer_on(sale.dealer, sale.day)
        known = {
            "product_category": product.get("category"), "product": sale.product,
            "product_subcategory": product.get("subcategory"), "brand": product.get("brand"),
            "dealer": sale.dealer, "dealer_tier": dealer.get("tier"), "region": dealer.get("region"), "channel": sale.channel,
        }  # fmt: skip
        for name, wanted in conditions.items():
            if name == "new_dealer":
                first = facts.first_purchase(sale.dealer)
                is_new = first is not None and sale.day < date(
                    first.year + 1, first.month, min(first.day, 28) if first.month == 2 else first.day
                )
                if is_new != wanted:
                    return False
            elif name in known:
                if known[name] not in wanted:
                    return False
            else:
                value = self._ratio_of(sale, name)
                if value is None or (wanted.lower is not None and value < Fraction(wanted.lower)):
                    return False
                if wanted.upper is not None and value >= Fraction(wanted.upper):
                    return False
        return True

    def _ratio_of(self, sale: Line, name: str) -> Fraction | None:
        if name == "deal_amount":
            return self.deal_amount(sale)
        if name == "margin_pct":
            return None if sale.cost is None or sale.net == 0 else (sale.net - sale.cost) / sale.net
        before = sale.net + sale.discount
        return None if before == 0 else sale.discount / before

    def deal_amount(self, sale: Line) -> Fraction | None:
        """The net amount of the whole invoice at plan rates, before what came back."""
        total = NOTHING
        currency = self.plan.currency if self.plan.currency != "payee" else None
        if currency is None:
            stated = {row.get("currency_code") for row in self.case["payees"]} - {None}
            currency = stated.pop() if len(stated) == 1 else None
        for line in self.facts.documents[sale.document]:
            if line.kind != sale.kind:
                continue
            rate = self.facts.rate(line.currency, currency, line.day, "plan")
            if rate is None:
                return None
            total += line.net * rate
        return total

    # ------------------------------------------------------------------------------ stages 4 and 5: how much

    def window(self, payee: str, component: Any, start: date, end: date, settings: Settings) -> list[Event]:
        """The events between two days: what came back of sales before them is not among them."""
        found = []
        by_sale = component.due.pct("collected") == 100 and component.collected_counts_in == "sale_period"
        for event in self.events(payee, component):
            if event.line.document in settings.without or settings.document not in (None, event.sale.document):
                continue
            if by_sale:
                if start <= event.sale.day < end and event.day < (settings.payments_before or end):
                    found.append(event)
                continue
            if event.line is event.sale or component.due.pct("collected") == 100:
                if start <= event.day < end:
                    found.append(event)
                continue
            if not start <= event.sale.day < end:
                continue
            until = date.min if component.accumulate == "transaction" else end
            if event.day < max(until, settings.returns_before or until):
                found.append(event)
        return found

    def target(self, payee: str, component: Any, period: Period) -> tuple[Fraction | None, bool]:
        """The target of a period, and whether it is that of the fiscal year as a whole."""
        stated, facts = component.target, self.facts
        value: Fraction | None = None
        whole_year = False
        season = WHOLE if stated.season is None else self._season(stated.season, period)
        if stated.kind == "value":
            value = number(stated.value) * season
        elif stated.kind == "last_year":
            start, end = (when.replace(year=when.year - 1) for when in (period.start, period.end))
            measured = NOTHING
            for event in self.events(payee, component, whenever=True):
                if start <= event.day < end and event.sale.day >= start:
                    measured += event.measure or NOTHING
            value = measured * number(stated.factor if stated.factor is not None else 1) * season
        else:
            rows = facts.target_rows(payee, component, period)
            asked = period if stated.season is None else period.year
            exact = [row[2] for row in rows if (row[0], row[1]) == (asked.start, asked.end)]
            inside = [row[2] for row in rows if row[0] >= asked.start and row[1] <= asked.end]
            yearly = [row[2] for row in rows if (row[0], row[1]) == (period.year.start, period.year.end)]
            if exact:
                value = sum(exact, NOTHING) * season
            elif inside:
                value = sum(inside, NOTHING) * season
            elif yearly:
                value, whole_year = sum(yearly, NOTHING), True
        if value is None:
            return None, False
        value *= facts.part_of(payee, period, stated.prorate, with_leave=True)
        number_of = facts.number_of_period(payee, period)
        if number_of <= len(stated.ramp):
            value *= number(stated.ramp[number_of - 1])
        return value, whole_year

    def _season(self, weights: dict[str, Any], period: Period) -> Fraction:
        total = sum((number(weight) for weight in weights.values()), NOTHING)
        part = NOTHING
        for end in period.month_ends:
            quarter = f"Q{(end.month + 2) // 3}"
            part += number(weights[quarter]) / 3 if quarter in weights else number(weights[f"M{end.month:02d}"])
        return part / total

    def target_so_far(self, payee: str, component: Any, period: Period) -> tuple[Fraction | None, bool]:
        """The target against which the measure stands: of the period, or of the year's periods up to it."""
        if component.target is None:
            return None, False
        if component.accumulate != "year_to_date":
            return self.target(payee, component, period)
        total: Fraction | None = None
        for each in period.of_year_so_far:
            if not self.facts.days_with_plan(payee, each):
                continue
            value, whole_year = self.target(payee, component, each)
            if whole_year:
                return self.target(payee, component, period)
            if value is not None:
                total = value + (total or NOTHING)
        return total, False

    def pay_so_far(self, payee: str, component: Any, period: Period, whole_year: bool) -> Fraction | None:
        """Target pay x weight, of the period or of the year's periods up to it."""
        if self.plan.target_pay is None:
            return None
        periods = [period]
        if component.accumulate == "year_to_date" and not whole_year:
            periods = [each for each in period.of_year_so_far if self.facts.days_with_plan(payee, each)]
        total = NOTHING
        for each in periods:
            pay = self.facts.target_pay(payee, each)
            if pay is None:
                return None
            total += pay
        if component.accumulate == "year_to_date" and whole_year:
            # Against the target of the year stands the pay of the year.
            total *= {"month": 12, "quarter": 4, "year": 1}[self.plan.period]
        return total * Fraction(component.weight_pct) / 100

    def measured(self, payee: str, component: Any, period: Period, settings: Settings) -> Fraction | None:
        """The measure of the component, of the period or the year so far."""
        if component.measure.kpi is not None:
            return self.facts.kpi(component.measure.kpi, component.measure.subject, payee, period)
        start = period.year.start if component.accumulate == "year_to_date" else period.start
        total = NOTHING
        for event in self.window(payee, component, start, period.end, settings):
            if event.measure is None:
                return None
            total += event.measure
        return total

    def attainment(
        self, payee: str, component: Any, period: Period, settings: Settings | None = None
    ) -> Fraction | None:
        """Measure / target; None without a target above zero, or without a value."""
        target, _ = self.target_so_far(payee, component, period)
        value = self.measured(payee, component, period, settings or Settings())
        if target is None or target <= 0 or value is None:
            return None
        if component.measure.kpi in LOWER_IS_BETTER:
            return None if value == 0 else target / value
        return value / target
