"""Stages 6 and 7 of the second reckoning: what the tables pay, and what gates, factors and limits make of it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise
from typing import Any

from tests.plans.amounts import NOTHING, WHOLE, Event, Key, Outcome, Place, Raw, Settings, StatementLine
from tests.plans.case_files import number
from tests.plans.measuring import Measuring
from tests.plans.periods import Period, of_day
from tests.plans.rate_tables import Basis, Reckoned, part_between, reckon
from tests.plans.rounding import cents, running


class Earning(Measuring):
    """What each component comes to in each period, before what comes back."""

    # -------------------------------------------------------------------------------------- stage 6: bands

    def raw(self, payee: str, component: Any, period: Period, settings: Settings, lower: Any) -> Raw:
        """What is earned by the tables; ``lower`` stands in their place where a gate says so."""
        if component.accumulate == "year_to_date" and component.measure.kpi is None:
            so_far = self._raw_total(payee, component, period, settings, lower)
            before = period.shifted(-1)
            if (
                before.year != period.year
                or not self._had_plan_before(payee, period)
                or self.plan.year_to_date_less_paid
            ):
                return so_far
            earlier = self._raw_total(payee, component, before, settings, lower)
            return _less(so_far, earlier)
        if self._is_anew_by_document(component) and settings.returns_before is None:
            return self._documents_anew(payee, component, period, settings)
        return self._raw_total(payee, component, period, settings, lower)

    def _is_anew_by_document(self, component: Any) -> bool:
        """Whether what comes back lets its document be reckoned anew."""
        is_rerated = component.returns == "rerate" and component.due.pct("collected") != 100
        return bool(is_rerated and component.accumulate == "transaction" and component.measure.kpi is None)

    def _documents_anew(self, payee: str, component: Any, period: Period, settings: Settings) -> Raw:
        """What each document of which something is of the period comes to, less what it came to before; by the table of
        the period of its sale."""
        touched = dict.fromkeys(
            event.sale.document for event in self.events(payee, component) if period.holds(event.day)
        )
        found = []
        for document in touched:
            sold = min(event.sale.day for event in self.events(payee, component) if event.sale.document == document)
            _, lower, _ = self._gates(payee, component, of_day(self.plan.period, sold))
            now = replace(settings, returns_before=period.end, document=document)
            was = replace(settings, returns_before=period.start, document=document, until=period.start)
            found.append(
                _less(
                    self._raw_total(payee, component, period, now, lower),
                    self._raw_total(payee, component, period, was, lower),
                )
            )
        return _sum(found)

    def _had_plan_before(self, payee: str, period: Period) -> bool:
        return any(self.facts.days_with_plan(payee, each) for each in period.of_year_so_far[:-1])

    def _raw_total(self, payee: str, component: Any, period: Period, settings: Settings, lower: Any) -> Raw:
        target, whole_year = self.target_so_far(payee, component, period)
        pay = self.pay_so_far(payee, component, period, whole_year)
        attainment = self.attainment(payee, component, period, settings)
        start = period.year.start if component.accumulate == "year_to_date" else period.start
        if settings.document is not None:
            start = date.min
        events = self.window(payee, component, start, settings.until or period.end, settings)
        if any(event.no_rate for event in events):
            return Raw(held="no exchange rate")
        tables = [rule.rate for rule in component.rate_rules] if lower is None else [lower]
        done = Raw()
        for index, table in enumerate(tables):
            mine = events if lower is not None else [event for event in events if index in event.rules]
            groups = [mine]
            if component.accumulate == "transaction":
                documents: dict[str, list[Event]] = defaultdict(list)
                for event in mine:
                    documents[event.sale.document].append(event)
                groups = list(documents.values())
            for group in groups:
                found = self._table(payee, component, table, group, period, (target, attainment, pay))
                self._add(done, index, table, group, found)
        if not done.pieces and done.reason is None:
            done.reason = "nothing sold"
        return done

    def _table(
        self,
        payee: str,
        component: Any,
        table: Any,
        group: list[Event],
        period: Period,
        against: tuple[Fraction | None, Fraction | None, Fraction | None],
    ) -> Reckoned:
        target, attainment, pay = against
        if component.measure.kpi is not None:
            value = self.facts.kpi(component.measure.kpi, component.measure.subject, payee, period)
            if value is None:
                return Reckoned(reason="no value")
            measure, units = value, NOTHING
        else:
            if any(event.measure is None for event in group):
                return Reckoned(reason="unknown cost")
            measure = sum((event.measure for event in group if event.measure is not None), NOTHING)
            units = sum((event.units for event in group), NOTHING)
        y: Fraction | None = measure
        size: Fraction | None = WHOLE
        x_whole: Fraction | None
        if table.basis == "attainment":
            if target is None or target <= 0:
                return Reckoned(reason="no target")
            size, x_whole = target, attainment
        elif table.basis == "none":
            x_whole = NOTHING
            if table.pays == "multiplier" and (target is None or target <= 0):
                return Reckoned(reason="no target")
        else:
            if table.basis == "units":
                y = units
            elif table.basis == "deal_amount":
                y = self.deal_amount(group[0].sale) if group else None
            elif table.basis == "margin_pct":
                size = sum((event.net for event in group), NOTHING)
                y = (
                    None
                    if any(event.cost is None for event in group)
                    else size - sum((event.cost for event in group if event.cost is not None), NOTHING)
                )
            elif table.basis == "discount_pct":
                y = sum((event.discount for event in group), NOTHING)
                size = y + sum((event.net for event in group), NOTHING)
            x_whole = None if y is None or not size else y / size
        return reckon(table, Basis(y, size, measure, units, x_whole, attainment, pay))

    def _add(self, done: Raw, index: int, table: Any, group: list[Event], found: Reckoned) -> None:
        done.held = done.held or found.held
        done.reason = done.reason or found.reason
        if not table.is_sliced:
            done.one_line.add(index)
        for piece in found.pieces:
            done.bands[index, piece.stretch] = piece.band
            kept = done.pieces.setdefault((index, piece.stretch), [NOTHING, NOTHING])
            kept[0] += piece.base
            kept[1] += piece.amount
        by_units = table.basis == "units"
        weights = [event.units if table.pays == "per_unit" else event.measure or NOTHING for event in group]
        whole = sum(weights, NOTHING)
        reached = NOTHING
        for nth, (event, weight) in enumerate(zip(group, weights, strict=True)):
            grown = reached + (event.units if by_units else event.measure or NOTHING)
            mine: dict[Place, Fraction] = defaultdict(Fraction)
            if found.stretches is not None:
                for low, high, each, stretch in found.stretches:
                    mine[index, stretch] += (part_between(grown, low, high) - part_between(reached, low, high)) * each
            elif found.steps is not None:
                # The first event reaches what is paid from the start.
                steps = [value * ((grown >= mark) - (nth > 0 and reached >= mark)) for mark, value in found.steps]
                mine[index, found.pieces[0].stretch] += sum(steps, NOTHING)
            elif found.pieces:
                part = weight / whole if whole else Fraction(1, len(group))
                mine[index, found.pieces[0].stretch] += found.total * part
            reached = grown
            for place, amount in mine.items():
                if amount:
                    kept_event = done.earned.setdefault(event.key, {})
                    kept_event[place] = kept_event.get(place, NOTHING) + amount

    # ---------------------------------------------------------------------------- stage 7: factors and limits

    def outcome(self, payee: str, component: Any, period: Period, settings: Settings | None = None) -> Outcome | None:
        """What the component comes to in a period; None without the plan."""
        settings = settings or Settings()
        key = (payee, component.id, period, settings)
        if key not in self._outcomes:
            self._outcomes[key] = self._outcome(payee, component, period, settings)
        return self._outcomes[key]

    def _outcome(self, payee: str, component: Any, period: Period, settings: Settings) -> Outcome | None:
        if not self.facts.days_with_plan(payee, period):
            return None
        factor, lower, gate_holds = self._gates(payee, component, period)
        raw = self.raw(payee, component, period, settings, lower)
        done = Outcome([], NOTHING, {}, raw.held or gate_holds, raw.reason)
        done.target, _ = self.target_so_far(payee, component, period)
        done.attainment = self.attainment(payee, component, period, settings)
        if done.held:
            done.lines.append(StatementLine(payee, component.id, "earned", None, reason=done.held))
            return done
        curve = self._modifier(payee, component, period)
        by_rule: dict[int, list[Fraction]] = defaultdict(lambda: [NOTHING, NOTHING])  # exact, rounded
        for place, (base, amount) in sorted(raw.pieces.items()):
            before = raw.before.get(place, NOTHING)
            rounded = cents(before + amount) - cents(before)
            why = raw.reason if not rounded else None
            done.lines.append(StatementLine(payee, component.id, "earned", rounded, raw.bands[place], place, base, why))
            by_rule[place[0]][0] += amount
            by_rule[place[0]][1] += rounded
        if not done.lines:
            done.lines.append(StatementLine(payee, component.id, "earned", NOTHING, reason=raw.reason))
        exact = sum((sums[0] for sums in by_rule.values()), NOTHING)
        amount = sum((sums[1] for sums in by_rule.values()), NOTHING)
        for kind, multiplied in (
            ("gate", factor),
            ("modifier", (factor if factor is not None else WHOLE) * curve if curve is not None else None),
        ):
            if multiplied is not None:
                # Times one leaves the cents of the lines as they are.
                changed = amount if factor in (None, 1) and multiplied == 1 else cents(exact * multiplied)
                done.lines.append(StatementLine(payee, component.id, kind, changed - amount))
                amount = changed
        times = (factor if factor is not None else WHOLE) * (curve if curve is not None else WHOLE)
        left_of = {
            index: rounded if times == 1 else cents(exact * times) for index, (exact, rounded) in by_rule.items()
        }
        rules = component.rate_rules
        if lower is None and any(rule.limits != type(rule.limits)() for rule in rules):
            total = NOTHING
            for index, rule in enumerate(rules):
                limited = self._limited(payee, rule.limits, left_of.get(index, NOTHING), period)
                if limited is None:
                    return self._held(done, payee, component, "no target pay")
                left_of[index] = limited
                total += limited
            done.lines.append(StatementLine(payee, component.id, "rule limit", total - amount))
            amount = total
        limited = self._limited(payee, component.limits, amount, period)
        if limited is None or self._limited(payee, self.plan.limits, amount, period) is None:
            return self._held(done, payee, component, "no target pay")
        done.excess = max(NOTHING, amount - limited)
        if limited != amount:
            done.lines.append(StatementLine(payee, component.id, "limit", limited - amount))
            amount = limited
        left = self._after_leaving(payee, period, amount)
        if left != amount:
            done.lines.append(StatementLine(payee, component.id, "leaver", left - amount))
            amount = left
        done.amount = amount
        # All events of a rule, and then all of the component, bear in one proportion what changed; nothing has none.
        whole = sum(left_of.values(), NOTHING)
        changed = amount / whole if whole else WHOLE
        scale = {rule: (left_of[rule] / sums[0] if sums[0] else WHOLE) * changed for rule, sums in by_rule.items()}
        done.paid = {
            key: sum((part * scale.get(place[0], changed) for place, part in parts.items()), NOTHING)
            for key, parts in sorted(raw.earned.items())
        }
        done.parts = _spread(raw, done)
        return done

    def _held(self, done: Outcome, payee: str, component: Any, why: str) -> Outcome:
        done.held, done.amount, done.parts = why, NOTHING, {}
        done.lines = [StatementLine(payee, component.id, "earned", None, reason=why)]
        return done

    def _limited(self, payee: str, limits: Any, amount: Fraction, period: Period) -> Fraction | None:
        caps = [number(limits.cap)] if limits.cap is not None else []
        if limits.cap_pct is not None:
            pay = self.facts.target_pay(payee, period)
            if pay is None:
                return None
            caps.append(cents(pay * number(limits.cap_pct) / 100))
        if limits.floor is not None:
            amount = max(amount, number(limits.floor))
        return min([amount, *caps])

    def _after_leaving(self, payee: str, period: Period, amount: Fraction) -> Fraction:
        rule = self.plan.leaver
        last = period.end - timedelta(1)
        if rule is None or self.plan.payee == "dealer" or self.facts.is_employed(payee, last):
            return amount
        if rule.otherwise == "forfeit":
            return min(amount, NOTHING)
        if rule.otherwise == "prorate":
            return cents(amount * len(self.facts.days_with_plan(payee, period)) / period.length)
        return amount

    def _gates(self, payee: str, component: Any, period: Period) -> tuple[Fraction | None, Any, str | None]:
        """The factor, the lower rate and the hold of the gates that act."""
        factor: Fraction | None = None
        lower, hold = None, None
        for gate in component.gates:
            if gate.kpi is not None:
                value = self.facts.kpi(gate.kpi, gate.subject, payee, period)
            else:
                value = self._weighted(payee, gate.weighted, period)
            if value is None:
                continue
            acts = value < number(gate.below) if gate.below is not None else value <= number(gate.at_most)
            if not acts:
                continue
            if gate.then.factor is not None:
                factor = number(gate.then.factor) if factor is None else min(factor, number(gate.then.factor))
            elif gate.then.rate is not None:
                lower = lower or gate.then.rate
            else:
                hold = "a gate holds"
        return factor, lower, hold

    def _weighted(self, payee: str, parts: Any, period: Period) -> Fraction | None:
        total, weights = NOTHING, NOTHING
        for part in parts:
            reached = self.attainment(payee, self.component(part.component), period)
            if reached is None:
                return None
            total += number(part.weight) * reached
            weights += number(part.weight)
        return total / weights

    def _modifier(self, payee: str, component: Any, period: Period) -> Fraction | None:
        modifier = component.modifier
        if modifier is None:
            return None
        value = self.facts.kpi(modifier.by, modifier.subject, payee, period)
        if value is None:
            return None
        points = [(number(point.value), number(point.factor)) for point in modifier.curve]
        if value <= points[0][0]:
            return points[0][1]
        for (left, low), (right, high) in pairwise(points):
            if value <= right:
                return low + (high - low) * (value - left) / (right - left)
        return points[-1][1]


def _less(now: Raw, before: Raw) -> Raw:
    """What a period adds to the year so far, or to a document; a table of one line has all of it where x lies now."""
    done = Raw(held=now.held or before.held, reason=now.reason, bands=before.bands | now.bands)
    if now.reason in ("no target", "no value"):
        return done
    lies_now = {place[0]: place for place in now.pieces if place[0] in now.one_line}

    def differences(mine: dict[Place, Fraction], theirs: dict[Place, Fraction]) -> dict[Place, Fraction]:
        found = defaultdict(Fraction, mine)
        for place, amount in theirs.items():
            found[lies_now.get(place[0], place)] -= amount
        return {place: amount for place, amount in found.items() if amount}

    base, amount = (
        differences(*({place: sums[which] for place, sums in raw.pieces.items()} for raw in (now, before)))
        for which in (0, 1)
    )
    done.pieces = {
        place: [base.get(place, NOTHING), amount.get(place, NOTHING)] for place in base.keys() | amount.keys()
    }
    for place, sums in before.pieces.items():
        done.before[lies_now.get(place[0], place)] = sums[1]
    for event in now.earned.keys() | before.earned.keys():
        added = differences(now.earned.get(event, {}), before.earned.get(event, {}))
        if added:
            done.earned[event] = added
    return done


def _sum(parts: list[Raw]) -> Raw:
    """What documents come to together."""
    done = Raw(reason=None if parts else "nothing sold")
    for part in parts:
        done.held, done.reason = done.held or part.held, done.reason or part.reason
        done.bands |= part.bands
        for place, amount in part.before.items():
            done.before[place] = done.before.get(place, NOTHING) + amount
        for place, sums in part.pieces.items():
            kept = done.pieces.setdefault(place, [NOTHING, NOTHING])
            done.pieces[place] = [kept[0] + sums[0], kept[1] + sums[1]]
        for event, places in part.earned.items():
            mine = done.earned.setdefault(event, {})
            for place, amount in places.items():
                mine[place] = mine.get(place, NOTHING) + amount
    return done


def _spread(raw: Raw, done: Outcome) -> dict[Key, Fraction]:
    """The cents of the events: of each line, or of the whole where factors or limits changed what the lines are."""
    if any(line.earned for line in done.lines if line.kind != "earned"):
        return running(done.paid, done.amount)
    found: dict[Key, Fraction] = defaultdict(Fraction)
    for line in done.lines:
        if line.place is None or line.earned is None:
            continue
        exact = {key: parts[line.place] for key, parts in sorted(raw.earned.items()) if line.place in parts}
        for key, part in running(exact, line.earned).items():
            found[key] += part
    return dict(found)
