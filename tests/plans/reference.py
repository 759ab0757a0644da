"""The rules of incentive plans reckoned a second time: payee by payee and event by event, as docs/plans.md says it.

Plain fractions and loops, slow and short; it shares the pydantic models of plans with the product and nothing of what
computes. `settle` takes a case as it stands in a case file and returns the whole statement. Stages 0 to 5 are in
`measuring`, 6 and 7 in `earning`, the later ones here.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

from tests.plans.amounts import NOTHING, Balance, Outcome, Settings, Statement, StatementLine
from tests.plans.case_files import Case, maybe, number
from tests.plans.earning import Earning
from tests.plans.facts import Line
from tests.plans.periods import Period, count_of, first_of, of_day, parse, periods_up_to
from tests.plans.rounding import cents


class Engine(Earning):
    """One case, reckoned."""

    # ------------------------------------------------------------------------- stage 8: what comes back

    def came_back(self, payee: str, component: Any, period: Period) -> list[StatementLine]:
        """What is taken back, and what old periods come to anew, in a period."""
        found: list[StatementLine] = []
        collected = component.due.pct("collected") == 100
        if component.measure.kpi is None and not collected and component.returns == "rerate":
            found += self._rerated(payee, component, period)
        if component.measure.kpi is None and collected and component.collected_counts_in == "sale_period":
            found += self._collected_later(payee, component, period)
        found += self._reversal(payee, component, period)
        found += self._late(payee, component, period)
        return found

    def _reversal(self, payee: str, component: Any, period: Period) -> list[StatementLine]:
        """What is taken back: differences of the rounded running total of all that was taken so far, by document."""
        exact: dict[str, Fraction] = defaultdict(Fraction)
        for document, part in self._taken(payee, component, period):
            exact[document] += part
        if not exact:
            return []
        earlier = self._periods_before(payee, component, period)
        reached = sum((part for each in earlier for _, part in self._taken(payee, component, each)), NOTHING)
        found = []
        for document, part in exact.items():
            amount = cents(reached) - cents(reached + part)
            found.append(StatementLine(payee, component.id, "reversal", amount, document=document))
            reached += part
        return found

    def _taken(self, payee: str, component: Any, period: Period) -> list[tuple[str, Fraction]]:
        """Documents, and what each takes back in a period, exactly."""
        key = (payee, component.id, period)
        if key in self._takings:
            return self._takings[key]
        found: list[tuple[str, Fraction]] = []
        is_sold = component.measure.kpi is None and component.due.pct("collected") != 100
        if is_sold and component.returns == "original_rate":
            found += self._taken_back(payee, component, period)
        if component.clawback is not None and component.clawback.on == "leaver":
            found += self._given_back(payee, component, period)
        self._takings[key] = found
        return found

    def _periods_before(self, payee: str, component: Any, period: Period) -> list[Period]:
        first = min((event.sale.day for event in self.events(payee, component)), default=period.start)
        return [each for each in periods_up_to(min(first, period.start), period) if each.start < period.start]

    def paid_for(self, payee: str, component: Any, sale: Line, period: Period) -> Fraction:
        """What a sale, with what came back of it inside of its period, was paid up to a period, after limits: exactly."""
        own = of_day(self.plan.period, sale.day)
        names = {sale.name, *(back.name for back in self._inside(component, sale))}
        total, reckoned = NOTHING, False
        spans = [own]
        if component.accumulate == "year_to_date":
            spans = [
                each for each in periods_up_to(sale.day, period) if each.year == own.year and each.start <= period.start
            ]
        for each in spans:
            done = self.outcome(payee, component, each)
            if done is not None and done.held is None and done.reason not in ("no target", "no value"):
                reckoned = True
                total += sum((amount for key, amount in done.paid.items() if key[1:3] in names), NOTHING)
        if not reckoned:
            rows = self._paid_rows(payee, component.id)
            total = sum(
                (number(row["amount"]) for row in rows if str(row.get("transaction_id")) == sale.document), NOTHING
            )
        return total

    def _paid_rows(self, payee: str, component: str) -> list[dict[str, Any]]:
        return [
            row for row in self.case.get("paid") or [] if str(row["payee"]) == payee and row["component"] == component
        ]

    def _is_inside(self, component: Any, sale: Line, back: Line) -> bool:
        """Whether a return lowers the measure in which its sale counts."""
        if component.accumulate == "transaction":
            return False
        kind = "year" if component.accumulate == "year_to_date" else self.plan.period
        return of_day(kind, sale.day) == of_day(kind, back.day)

    def _inside(self, component: Any, sale: Line) -> list[Line]:
        return [back for back in self.facts.returns_of(sale) if self._is_inside(component, sale, back)]

    def _taken_back(self, payee: str, component: Any, period: Period) -> list[tuple[str, Fraction]]:
        """Document that comes back in the period, and what it takes of what its sale was paid."""
        found = []
        for event in self.events(payee, component):
            sale = event.sale
            if event.line is not sale or sale.kind != "invoice":
                continue
            for back in self.facts.returns_of(sale):
                if self._is_inside(component, sale, back) or not period.holds(back.day):
                    continue
                paid = self.paid_for(payee, component, sale, period)
                if component.due.pct("collected"):
                    paid = paid * Fraction(component.due.pct("invoiced")) / 100
                found.append((back.document, paid * self._part_back(component, sale, back)))
        return found

    def _part_back(self, component: Any, sale: Line, back: Line) -> Fraction:
        """Which part of what a sale was paid a return takes."""
        whole = sum((self._size(component, line, sale) for line in (sale, *self._inside(component, sale))), NOTHING)
        part = -self._size(component, back, sale) / whole if whole else NOTHING
        claw = component.clawback
        limited = claw is not None and (claw.on == "return" or (claw.on == "cancel" and back.kind == "credit_note"))
        if not limited or of_day(self.plan.period, sale.day) == of_day(self.plan.period, back.day):
            return part
        return part * self._take(claw, sale.day, back.day)

    def _size(self, component: Any, line: Line, sale: Line) -> Fraction:
        """By what a return is a part of its sale: the measure, or the net amount where the margin is nothing."""
        of = component.measure.of
        if of == "units":
            return line.units
        if of == "gross_revenue":
            return line.net + line.discount
        if of == "deals":
            return self._deals(line, sale, component)
        if of == "gross_margin" and sale.cost is not None and line.cost is not None and sale.net != sale.cost:
            return line.net - line.cost
        return line.net

    def _take(self, claw: Any, sold: date, when: date) -> Fraction:
        if (when - sold).days > claw.within_days:
            return NOTHING
        if claw.take.pct is not None:
            return number(claw.take.pct) / 100
        months = claw.take.linear_months
        return max(NOTHING, Fraction(months - (count_of(when) - count_of(sold)), months))

    def _rerated(self, payee: str, component: Any, period: Period) -> list[StatementLine]:
        """Old periods anew with what came back of them since."""
        found: list[StatementLine] = []
        if self._is_anew_by_document(component):
            return found  # in the lines of the period
        for old in self._periods_before(payee, component, period):
            if component.accumulate == "year_to_date" and old.year == period.year:
                continue
            yearly = component.accumulate == "year_to_date"
            backs = [
                back
                for event in self.events(payee, component)
                if event.line is event.sale
                and ((old.year.start <= event.sale.day < old.end) if yearly else old.holds(event.sale.day))
                for back in self.facts.returns_of(event.sale)
                if period.holds(back.day)
            ]
            if not backs:
                continue
            now = self.outcome(payee, component, old, Settings(returns_before=period.end))
            was = self.outcome(payee, component, old, Settings(returns_before=period.start))
            if now is not None and was is not None:
                # A cap that carries on is one of the period in which it is paid.
                cut_off = now.excess - was.excess if component.limits.carry_excess else NOTHING
                found.append(StatementLine(payee, component.id, "return", now.amount - was.amount + cut_off))
        return found

    def _rerated_here(self, payee: str, component: Any) -> list[StatementLine]:
        """What stands in the statement of old periods that were reckoned anew."""
        is_sold = component.measure.kpi is None and component.due.pct("collected") != 100
        return self._rerated(payee, component, self.period) if is_sold and component.returns == "rerate" else []

    def _collected_later(self, payee: str, component: Any, period: Period) -> list[StatementLine]:
        found = []
        for old in self._periods_before(payee, component, period):
            now = self.outcome(payee, component, old, Settings(payments_before=period.end))
            was = self.outcome(payee, component, old, Settings(payments_before=period.start))
            if now is not None and was is not None and now.amount != was.amount:
                found.append(StatementLine(payee, component.id, "collected", now.amount - was.amount))
        return found

    def _given_back(self, payee: str, component: Any, period: Period) -> list[tuple[str, Fraction]]:
        left = self.facts.left_on(payee)
        if left is None or not period.holds(left):
            return []
        found = []
        for event in self.events(payee, component):
            if event.line is event.sale and event.sale.day < left:
                paid = self.paid_for(payee, component, event.sale, period)
                found.append((event.sale.document, paid * self._take(component.clawback, event.sale.day, left)))
        return found

    def _late(self, payee: str, component: Any, period: Period) -> list[StatementLine]:
        """Documents of closed periods that no line paid before names, where those lines name documents at all."""
        if period != self.period or component.measure.kpi is not None:
            return []
        rows = self._paid_rows(payee, component.id)
        named = {str(row["transaction_id"]) for row in rows if row.get("transaction_id") is not None}
        closed = {parse(row["period"]) for row in rows if row.get("transaction_id") is not None}
        closed -= {parse(row["period"]) for row in rows if row.get("transaction_id") is None}
        found = []
        for old in sorted(closed):
            late = sorted(
                {
                    event.line.document: event.line.key
                    for event in self.events(payee, component)
                    if old.holds(event.day)
                    and event.line is event.sale
                    and event.line.document not in named
                    and component.due.pct("collected") == 0
                }.items(),
                key=lambda item: item[1],
            )
            for index, (document, _) in enumerate(late):
                still = frozenset(name for name, _ in late[index + 1 :])
                now = self.outcome(payee, component, old, Settings(without=still))
                was = self.outcome(payee, component, old, Settings(without=still | {document}))
                if now is None or was is None:
                    continue
                waits = now.held is not None and was.held is None
                amount = None if waits else now.amount - was.amount
                found.append(StatementLine(payee, component.id, "late", amount, document=document, reason=now.held))
        return found

    # ------------------------------------------------------------------------------------ stage 9: what is due

    def settled(
        self, payee: str, component: Any, period: Period, carried: Fraction
    ) -> tuple[Fraction, list[StatementLine], Fraction]:
        """What the component comes to with what came back, its lines, and the carry it leaves."""
        done = self.outcome(payee, component, period)
        assert done is not None
        lines = list(done.lines) if done.held is None else []
        lines += self.came_back(payee, component, period)
        amount = sum((line.earned or NOTHING for line in lines), NOTHING)
        left = carried
        if component.negative == "carry":
            total = amount + carried
            left = min(total, NOTHING)
            due = max(total, NOTHING)
        elif component.negative == "zero":
            due = max(amount, NOTHING)
        else:
            due = amount
        if due != amount:
            lines.append(StatementLine(payee, component.id, "below zero", due - amount))
        return due, lines, left

    def due(self, payee: str, component: Any, balances: dict[tuple[str, str], Balance]) -> list[StatementLine]:
        """The lines of a component in the period of the case."""
        period = self.period
        done = self.outcome(payee, component, period)
        assert done is not None
        if done.held is not None:
            return done.lines
        if self.plan.year_to_date_less_paid and component.accumulate == "year_to_date":
            done = self._less_paid(payee, component, done)
        carried = self._opening(payee, "carry") if component.negative == "carry" else NOTHING
        lines: list[StatementLine] = []
        if component.limits.carry_excess:
            lines += self._with_excess(payee, component, done, balances)
        amount, own, left = self.settled(payee, component, period, carried)
        if component.negative == "carry":
            balances[payee, "carry"] = Balance(carried, left - carried)
        lines = own + lines
        if not self._is_spread(component):
            for event in self.window(payee, component, period.start, period.end, Settings()):
                self.by_document[payee, component.id, event.line.document] += NOTHING  # also what earned nothing
            for key, part in done.parts.items():
                self.by_document[payee, component.id, key[1]] += part
            for line in lines:
                if line.document is not None:
                    self.by_document[payee, component.id, line.document] += line.earned or NOTHING
            return lines
        amount += sum((line.earned or NOTHING for line in lines[len(own) :]), NOTHING)
        waits = {"hold": NOTHING, "instalment": NOTHING}
        for name, moved in self._waiting(payee, component, period, period, amount).items():
            if moved:
                lines.append(StatementLine(payee, component.id, name, -moved))
            if name in waits:
                waits[name] += moved
        for old in self._periods_before(payee, component, period):
            if self.outcome(payee, component, old) is None:
                continue
            was, _, _ = self.settled(payee, component, old, NOTHING)
            for name, moved in self._released(payee, component, old, period, was).items():
                if moved:
                    lines.append(StatementLine(payee, component.id, f"{name} due", moved))
                if name in waits:
                    waits[name] -= moved
        lines += self._last_release(payee, component, waits)
        for name, moved in waits.items():
            if (name == "hold" and component.payout.hold_pct) or (
                name == "instalment" and component.payout.instalments.n > 1
            ):
                kept = balances.setdefault((payee, name), Balance(self._opening(payee, name), NOTHING))
                kept.movement += moved
        return lines

    def _is_spread(self, component: Any) -> bool:
        shares = 0 < component.due.pct("collected") < 100
        return bool(component.payout.hold_pct or component.payout.instalments.n > 1 or shares)

    def _parts_of(
        self, payee: str, component: Any, old: Period, amount: Fraction
    ) -> tuple[Fraction, Fraction, Fraction]:
        """Held, waiting for the money, and what comes in instalments."""
        held = cents(max(amount, NOTHING) * number(component.payout.hold_pct) / 100)
        done = self.outcome(payee, component, old)
        assert done is not None
        waiting = NOTHING
        if 0 < component.due.pct("collected") < 100:
            waiting = done.amount - cents(done.amount * Fraction(component.due.pct("invoiced")) / 100)
        return held, waiting, amount - held - waiting

    def _due_by(self, payee: str, component: Any, old: Period, amount: Fraction, end: date) -> dict[str, Fraction]:
        """What of a period's amount has fallen due before a day, by what it waited for."""
        held, waiting, rest = self._parts_of(payee, component, old, amount)
        done = self.outcome(payee, component, old)
        assert done is not None
        found = {"hold": NOTHING, "money": NOTHING, "instalment": NOTHING}
        money_in, settled_in, whole = NOTHING, NOTHING, NOTHING
        for key, part in done.paid.items():
            sale = self.facts.by_name[key[1], key[2]]
            if sale.kind != "invoice" or not old.holds(sale.day):
                continue
            backs = self.facts.returns_of(sale)
            own = {back.name for back in backs if old.holds(back.day)}
            left = part + sum((more for other, more in done.paid.items() if other[1:3] in own), NOTHING)
            # What comes back after the period waits for no money.
            gone = sum((-back.net / sale.net for back in backs if old.end <= back.day < end), NOTHING)
            got = part * self.facts.paid_part(sale, end)
            whole += left
            money_in += min(got, left) if left > 0 else got
            settled_in += min(got + part * gone, left) if left > 0 else got + part * gone
        if whole > 0:
            money_in, settled_in = min(money_in, whole), min(settled_in, whole)
        release = component.payout.release
        if release is not None and held:
            if release.at == "collected":
                found["hold"] = cents(held * settled_in / whole) if whole else NOTHING
            else:
                if release.after_days is not None:
                    falls = old.end + timedelta(release.after_days)
                elif release.at == "clawback_end":
                    falls = old.end + timedelta(component.clawback.within_days)
                else:
                    falls = old.year.end
                found["hold"] = held if falls <= end else NOTHING
        if waiting:
            shares = component.due
            reached = cents(
                done.amount * Fraction(shares.pct("invoiced")) / 100
                + money_in * Fraction(shares.pct("collected")) / 100
            )
            found["money"] = reached - (done.amount - waiting)
        n, every = component.payout.instalments.n, 1 if component.payout.instalments.every == "month" else 3
        if n == 1 or amount <= 0:
            found["instalment"] = rest
        else:
            fallen = sum(first_of(count_of(old.end) + number_of * every) <= end for number_of in range(n))
            found["instalment"] = cents(rest * fallen / n)
        return found

    def _waiting(self, payee: str, component: Any, old: Period, now: Period, amount: Fraction) -> dict[str, Fraction]:
        """What of the period's own amount is not due in it."""
        held, waiting, rest = self._parts_of(payee, component, old, amount)
        due = self._due_by(payee, component, old, amount, now.end)
        return {"hold": held - due["hold"], "money": waiting - due["money"], "instalment": rest - due["instalment"]}

    def _released(self, payee: str, component: Any, old: Period, now: Period, amount: Fraction) -> dict[str, Fraction]:
        """What of an earlier period's amount falls due in this one."""
        after = self._due_by(payee, component, old, amount, now.end)
        before = self._due_by(payee, component, old, amount, now.start)
        return {name: after[name] - before[name] for name in after}

    def _last_release(self, payee: str, component: Any, waits: dict[str, Fraction]) -> list[StatementLine]:
        """At the end of the fiscal year the whole balance goes out, also of sales that the case does not tell."""
        release = component.payout.release
        if release is None or release.at != "year_end" or self.period.end != self.period.year.end:
            return []
        left = self._opening(payee, "hold") + waits["hold"]
        if not left:
            return []
        waits["hold"] -= left
        return [StatementLine(payee, component.id, "hold due", left)]

    def _less_paid(self, payee: str, component: Any, done: Outcome) -> Outcome:
        paid = NOTHING
        for row in self._paid_rows(payee, component.id):
            of = parse(row["period"])
            if of.year == self.period.year and of.start < self.period.start:
                paid += number(row["amount"])
        lines = list(done.lines)
        if paid:
            lines.append(StatementLine(payee, component.id, "less paid", -paid))
        changed = replace(done, lines=lines, amount=done.amount - paid)
        self._outcomes[payee, component.id, self.period, Settings()] = changed
        return changed

    def _with_excess(
        self, payee: str, component: Any, done: Outcome, balances: dict[tuple[str, str], Balance]
    ) -> list[StatementLine]:
        """What earlier caps cut off, as far as this one leaves room."""
        opening = self._opening(payee, "excess")
        limits = component.limits
        caps = [number(limits.cap)] if limits.cap is not None else []
        if limits.cap_pct is not None:
            pay = self.facts.target_pay(payee, self.period)
            caps.append(cents((pay or NOTHING) * number(limits.cap_pct) / 100))
        anew = sum((line.earned or NOTHING for line in self._rerated_here(payee, component)), NOTHING)
        allowed = min(opening + done.amount + done.excess + anew, *caps)
        paid = allowed - done.amount - anew
        kept = balances.setdefault((payee, "excess"), Balance(opening, NOTHING))
        kept.movement += done.excess - paid
        return [StatementLine(payee, component.id, "excess", paid)] if paid else []

    def _opening(self, payee: str, balance: str) -> Fraction:
        rows = self.facts.inputs.get("balances_before") or []
        return sum(
            (number(row["amount"]) for row in rows if str(row["payee"]) == payee and row["balance"] == balance), NOTHING
        )

    # ------------------------------------------------------------------------------- stage 10: the statement

    def spiffs(self, payee: str) -> list[StatementLine]:
        """A line for each SPIFF: the sum over its deals."""
        found = []
        for spiff in self.plan.spiffs:
            component = self.component(spiff.of)
            total, held = NOTHING, None
            if self._limited(payee, self.plan.limits, NOTHING, self.period) is None:
                held = "no target pay"
            target, whole_year = self.target_so_far(payee, component, self.period)
            pay = self.pay_so_far(payee, component, self.period, whole_year)
            for event in self.window(payee, component, self.period.start, self.period.end, Settings()):
                if not any(self._meets(event.sale, conditions) for conditions in spiff.filter.alternatives):
                    continue
                amount = self.deal_amount(event.sale)
                if amount is None or (spiff.minimum is not None and amount < number(spiff.minimum.deal_amount)):
                    continue
                value = number(spiff.value)
                if spiff.pays == "pct_of_target_pay":
                    if pay is None:
                        held = "no target pay"
                        continue
                    value = pay * value / 100
                if spiff.proportional:
                    if target is not None and target > 0:
                        total += value * (event.measure or NOTHING) / target
                    continue
                matching = [
                    line for line in self.facts.documents[event.sale.document]
                    if line.kind == "invoice" and self._rules_of(component, line)
                    and any(self._meets(line, conditions) for conditions in spiff.filter.alternatives)
                ]  # fmt: skip
                whole = sum((line.net for line in matching), NOTHING)
                part = Fraction(1, len(matching)) if whole == 0 else event.line.net / whole
                total += value * event.share * part * event.part
            if held:
                found.append(StatementLine(payee, spiff.id, "spiff", None, reason=held))
                continue
            earned = self._after_leaving(payee, self.period, cents(total))
            found.append(StatementLine(payee, spiff.id, "spiff", earned))
        return found

    def draws(self, payee: str, earned: Fraction, balances: dict[tuple[str, str], Balance]) -> list[StatementLine]:
        """What draws pay and what pays them back; E is what the statement comes to after its limits."""
        period, facts = self.period, self.facts
        order = sorted(
            enumerate(self.plan.draws),
            key=lambda item: (item[1].repay_order if item[1].repay_order is not None else item[0] + 1, item[0]),
        )
        nth = facts.number_of_period(payee, period)
        lines = []
        so_far = earned  # E with the draws before
        left = earned  # what the draws before left of E
        opening = self._opening(payee, "draw")
        owed_all = opening
        for index, draw in order:
            amount = NOTHING
            if draw.periods is None or nth <= draw.periods:
                if draw.amount is not None:
                    amount = number(draw.amount) * (period.months if draw.per == "month" else 1)
                    amount = cents(amount * facts.part_of(payee, period, draw.prorate, with_leave=False))
                else:
                    pay = facts.target_pay(payee, period)
                    if pay is None:
                        lines.append(StatementLine(payee, f"draw {index + 1}", "draw", None, reason="no target pay"))
                        continue
                    amount = cents(pay * number(draw.pct_of_target_pay) / 100)
            paid = max(NOTHING, amount - so_far) if draw.kind == "guarantee" else amount
            so_far += paid
            if paid:
                lines.append(StatementLine(payee, f"draw {index + 1}", "draw", paid))
            if not draw.is_recoverable:
                continue
            owed_all += paid
            if nth < draw.recover_from:
                continue
            stays = number(draw.never_below)
            if draw.kind == "guarantee":
                stays = max(stays, amount)
            back = max(NOTHING, min(owed_all, cents(left * number(draw.recover_pct) / 100), left - stays))
            if back:
                owed_all -= back
                left -= back
                so_far -= back
                lines.append(StatementLine(payee, f"draw {index + 1}", "recovery", -back))
        if any(draw.is_recoverable for draw in self.plan.draws):
            balances[payee, "draw"] = Balance(opening, owed_all - opening)
        return lines

    def proposals(self, payee: str) -> list[dict[str, Any]]:
        """What is proposed: the attainment reached the mark in so many periods in a row."""
        found = []
        for proposal in self.plan.proposals:
            wanted = proposal.condition
            for component in self.plan.components:
                if component.target is None or wanted.component not in (None, component.id):
                    continue
                periods = [self.period.shifted(-back) for back in range(wanted.periods)]
                reached = [
                    self.attainment(payee, component, each) if self.facts.days_with_plan(payee, each) else None
                    for each in periods
                ]
                if all(value is not None and value >= number(wanted.attainment.lower) for value in reached):
                    row = {
                        "payee": payee,
                        "award": proposal.award,
                        "name": proposal.name,
                        "value": maybe(proposal.value),
                    }
                    found.append({name: value for name, value in row.items() if value is not None})
                    break
        return found

    def statement(self) -> Statement:
        """Everything, payee by payee."""
        done = Statement([], {}, {}, {}, [], {})
        for payee in self.payees:
            mine: list[StatementLine] = []
            apart = False  # amounts in several currencies have no sum
            for component in self.plan.components:
                if component.currency == "document":
                    done.lines += self._kept_apart(payee, component)
                    apart = True
                    continue
                lines = self.due(payee, component, done.balances)
                for line in lines:
                    line.currency = line.currency or self.facts.currency_of(payee, self.period)
                mine += lines
                found = self.outcome(payee, component, self.period)
                done.targets[payee, component.id] = found.target if found else None
            mine += self.spiffs(payee)
            total = sum((line.earned or NOTHING for line in mine), NOTHING)
            held = apart or any(line.earned is None for line in mine)
            limited = self._limited(payee, self.plan.limits, total, self.period)
            if limited is None:
                held, limited = True, total
            if limited != total:
                mine.append(StatementLine(payee, "statement", "limit", limited - total))
            mine += self.draws(payee, limited, done.balances)
            held = held or any(line.earned is None for line in mine)
            done.lines += mine
            done.payout[payee] = None if held else sum((line.earned or NOTHING for line in mine), NOTHING)
            done.proposals += self.proposals(payee)
        done.due_by_document = dict(self.by_document)
        return done

    def _kept_apart(self, payee: str, component: Any) -> list[StatementLine]:
        """A component whose documents' currencies are kept apart: reckoned for each of them alone."""
        found = []
        events = self.events(payee, component)
        for currency in sorted({event.currency or "" for event in events}):
            alone = Engine(self.case)
            alone._events[payee, component.id, False] = [
                event for event in events if (event.currency or "") == currency
            ]
            for line in alone.due(payee, alone.component(component.id), {}):
                line.currency = currency or None
                found.append(line)
        return found


def settle(case: Case) -> Statement:
    """The statement of a case."""
    return Engine(case).statement()
