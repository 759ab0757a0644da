"""A plan in sentences, with every default stated."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from pydantic import BaseModel

from dealermart.config.numbers import plain
from dealermart.config.plan_component import Component, ComponentLimits, Gate, PayLimits, RateRule
from dealermart.config.plan_filter import RANGES, Filter, Range
from dealermart.config.plan_measure import Target
from dealermart.config.plan_pay import Draw, Proposal, Spiff
from dealermart.config.plan_phrases import OUTSIDE, RULES, SENTENCES, VALUES, WORDS, Language, phrase
from dealermart.config.plan_rate import Band, Rate
from dealermart.config.plans import Plan

Line = tuple[int, str]
"""How deep a sentence stands, and the sentence."""


def plan_words(plan: Plan, language: Language) -> list[str]:
    """What a plan says, a sentence a line, indented below its heading; defaults are marked as such.

    Args:
        plan: A plan without a fault.
        language: ``en`` or ``zh``.
    """
    return ["  " * depth + text for depth, text in _Speaker(language).plan(plan)]


class PlanParts(NamedTuple):
    """The sentences of a plan by what they are about, indented below their heading.

    Attributes:
        whole: Of the plan and the whole statement.
        components: Of each component and SPIFF, by its id.
    """

    whole: list[str]
    components: dict[str, list[str]]


def plan_parts(plan: Plan, language: Language) -> PlanParts:
    """What ``plan_words`` says, apart for each component. The headings, which name the parts, are left out."""
    speaker = _Speaker(language)
    spiffs = {spiff.id: list(speaker.spiff(spiff)) for spiff in plan.spiffs}
    named = {component.id: list(speaker.component(plan, component))[1:] for component in plan.components} | spiffs
    taken = {line for lines in spiffs.values() for line in lines}
    whole = [*list(speaker.head(plan))[1:], *(line for line in speaker.besides(plan) if line not in taken)]
    return PlanParts(_indented(whole), {name: _indented(lines) for name, lines in named.items()})


def _indented(lines: Sequence[Line]) -> list[str]:
    least = min((depth for depth, _ in lines), default=0)
    return ["  " * (depth - least) + text for depth, text in lines]


class FilterRow(NamedTuple):
    """A compiled filter: one alternative of the component (rule 0) or of a rule."""

    rule_no: int
    lists: dict[str, list[str]]
    ranges: dict[str, tuple[Decimal | None, Decimal | None]]
    is_new_dealer: bool | None


class RateRow(NamedTuple):
    """A compiled rate table; bands with their ends and values, percents as fractions."""

    rule_no: int
    name: str | None
    basis: str
    band_rule: str | None
    pays: str
    base_rate: Decimal | None
    bands: list[tuple[Decimal | None, Decimal | None, Decimal]]


def row_words(filters: Iterable[FilterRow], rates: Sequence[RateRow], language: Language) -> list[str]:
    """Filter and rate tables of a component in sentences, from what they were compiled to."""
    speaker = _Speaker(language)
    by_rule: dict[int, list[str]] = {}
    for row in filters:
        given: dict[str, Any] = {**row.lists}
        given |= {name: Range.model_validate({"from": ends[0], "to": ends[1]}) for name, ends in row.ranges.items()}
        if row.is_new_dealer is not None:
            given["new_dealer"] = row.is_new_dealer
        by_rule.setdefault(row.rule_no, []).append(speaker.conditions(given))
    lines = [(0, speaker.alternatives(by_rule.get(0, []), "everything"))]
    for rate in rates:
        depth = 0
        if len(rates) > 1:
            lines.append(
                (0, speaker.say("rule_title", number=rate.rule_no, name=f": {rate.name}" if rate.name else ""))
            )
            lines.append((1, speaker.alternatives(by_rule.get(rate.rule_no, []), "everything")))
            depth = 1
        lines += speaker.rate_row(depth, rate)
    return _indented(lines)


class _Speaker:
    """Fills in the sentences of one language."""

    def __init__(self, language: Language) -> None:
        self.language = language

    def say(self, key: str, **values: object) -> str:
        return phrase(SENTENCES, key, self.language, **values)

    def word(self, key: str) -> str:
        return phrase(WORDS, key, self.language)

    def joined(self, parts: list[str], key: str = "and") -> str:
        return self.say(key).join(parts)

    def stated(self, model: BaseModel, field: str, text: str) -> str:
        """The sentence, marked where the file leaves the field out."""
        return text if field in model.model_fields_set else text + self.say("default")

    def name(self, named: Any, default: str) -> str:
        """The name in the language, else the other, else the id."""
        names = (named.name, named.name_zh) if self.language == "en" else (named.name_zh, named.name)
        return names[0] or names[1] or default

    def plan(self, plan: Plan) -> Iterator[Line]:
        yield from self.head(plan)
        for component in plan.components:
            yield from self.component(plan, component)
        yield from self.besides(plan)

    def head(self, plan: Plan) -> Iterator[Line]:
        """What stands above the components."""
        yield 0, self.say("title", name=self.name(plan, plan.plan), plan=plan.plan, version=plan.version)
        who = self.say("who", payee=self.word(plan.payee), period=self.word(plan.period))
        yield 1, self.stated(plan, "payee", who)
        start = str(plan.valid_from) if plan.valid_from else self.say("beginning")
        end = self.say("before", day=plan.valid_to) if plan.valid_to else self.say("open")
        yield 1, self.stated(plan, "valid_from", self.say("window", start=start, end=end))
        paid = "currency_payee" if plan.currency == "payee" else "currency"
        yield 1, self.stated(plan, "currency", self.say(paid, currency=plan.currency))
        rates = self.say("rate_type", rate_type=self.word(plan.rate_type))
        yield 1, self.stated(plan, "rate_type", rates)
        pay = plan.target_pay
        if pay is None:
            yield 1, self.stated(plan, "target_pay", self.say("no_target_pay"))
        else:
            source = self.say("of_assignment") if pay.amount is None else plain(pay.amount)
            yield 1, self.say("target_pay", source=source, per=self.word(pay.per))

    def besides(self, plan: Plan) -> Iterator[Line]:
        """What concerns the whole statement."""
        for spiff in plan.spiffs:
            yield from self.spiff(spiff)
        if not plan.spiffs:
            yield 1, self.stated(plan, "spiffs", self.say("no_spiffs"))
        for number, draw in enumerate(plan.draws, start=1):
            yield 1, self.draw(number, draw)
        if not plan.draws:
            yield 1, self.stated(plan, "draws", self.say("no_draws"))
        yield 1, self.stated(plan, "late_facts", self.say(plan.late_facts))
        less = self.say("less_paid" if plan.year_to_date_less_paid else "by_difference")
        yield 1, self.stated(plan, "year_to_date_less_paid", less)
        if plan.leaver is None:
            yield 1, self.stated(plan, "leaver", self.say("no_leaver"))
        else:
            kept = "by_days" if plan.leaver.otherwise == "prorate" else plan.leaver.otherwise
            yield 1, self.say("leaver", otherwise=self.say(kept))
        limits = self.limits(plan.limits)
        whole = self.say("statement_limits", limits=limits) if limits else self.say("no_statement_limits")
        yield 1, self.stated(plan, "limits", whole)
        for number, proposal in enumerate(plan.proposals, start=1):
            yield 1, self.proposal(number, proposal)
        if not plan.proposals:
            yield 1, self.stated(plan, "proposals", self.say("no_proposals"))

    def component(self, plan: Plan, component: Component) -> Iterator[Line]:
        yield 1, self.say("component", id=component.id, name=self.name(component, component.id))
        measure = component.measure
        if measure.kpi is not None:
            yield 2, self.say("kpi", kpi=measure.kpi, subject=self.word(measure.subject))
        else:
            yield 2, self.say("measure", measure=self.word(measure.code))
            if measure.floor is not None:
                yield 2, self.say("floor")
            yield 2, self.stated(component, "filter", self.filter(component.filter, whole="no_filter"))
            roles = component.credits(plan.payee)
            named = [self.word("credit_dealer" if role == "dealer" else role) for role in roles]
            yield 2, self.stated(component, "credit", self.say("credit", roles=self.joined(named, "comma")))
            due = component.due.shares
            shares = [self.say("share", pct=plain(share.pct), on=self.word(share.on)) for share in due]
            yield 2, self.stated(component, "trigger", self.say("due", shares=self.joined(shares, "comma")))
            if component.due.pct("invoiced") == 0:
                yield 2, self.stated(component, "collected_counts_in", self.say(component.collected_counts_in))
            elif component.due.pct("collected"):
                yield 2, self.say("sale_fills")
        filled = "accumulate_period" if component.accumulate == "period" else component.accumulate
        yield 2, self.stated(component, "accumulate", self.say(filled))
        yield from self.target(component)
        yield from self.rates(component)
        yield from self.factors(component)
        yield from self.payment(plan, component)

    def target(self, component: Component) -> Iterator[Line]:
        target = component.target
        if target is None:
            yield 2, self.stated(component, "target", self.say("no_target"))
            return
        subject = self.word("of_dealer" if target.subject == "dealer" else target.subject)
        yield 2, self._source(component, target, subject)
        by = self.say("prorate_none") if target.prorate == "none" else self.say("prorate", by=self.word(target.prorate))
        yield 2, self.stated(target, "prorate", by)
        factors = self.joined([plain(factor) for factor in target.ramp], "comma")
        yield 2, self.stated(target, "ramp", self.say("ramp", factors=factors) if factors else self.say("no_ramp"))
        weights = self.joined([f"{part} {plain(weight)}" for part, weight in (target.season or {}).items()], "comma")
        season = self.say("season", weights=weights) if weights else self.say("no_season")
        yield 2, self.stated(target, "season", season)

    def _source(self, component: Component, target: Target, subject: str) -> str:
        if target.value is not None:
            key = "target_year" if target.season else "target_value"
            return self.say(key, value=plain(target.value), subject=subject)
        if target.metric is None:
            return self.say("target_last_year", factor=plain(target.factor or 1), subject=subject)
        named = component.target_category
        category = self.say("category", category=named) if named else ""
        return self.say("target_metric", metric=target.metric, subject=subject, category=category)

    def filter(self, given: Filter, whole: str) -> str:
        """The conditions in one sentence; ``whole`` is said where there are none."""
        conditions = self._conditions(given.given)
        if not conditions and not given.any_of:
            return self.say(whole)
        if whole == "no_filter" and not all("channel" in entry for entry in given.alternatives):
            conditions.append(self.say("sell_in"))
        if given.any_of:
            alternatives = [self.joined(self._conditions(entry.given)) for entry in given.any_of]
            conditions.append(self.say("any_of", alternatives=self.joined(alternatives, "semicolon")))
        return self.say("filter", conditions=self.joined(conditions))

    def _conditions(self, given: dict[str, Any]) -> list[str]:
        found = []
        for field, value in given.items():
            if field == "new_dealer":
                found.append(self.say("new_dealer" if value else "old_dealer"))
                continue
            name = self.word(f"filter_{field}" if f"filter_{field}" in WORDS else field)
            if field in RANGES:
                found.append(self.say("range", field=name, range=self.range(value)))
            else:
                found.append(self.say("is", field=name, values=self.joined(list(value), "or")))
        return found

    def conditions(self, given: dict[str, Any]) -> str:
        """The conditions of one alternative; nothing where there are none."""
        return self.joined(self._conditions(given))

    def alternatives(self, conditions: list[str], whole: str) -> str:
        """Alternatives in one sentence; ``whole`` is said where one of them has no condition."""
        if not conditions or not all(conditions):
            return self.say(whole)
        told = conditions[0]
        if len(conditions) > 1:
            told = self.say("any_of", alternatives=self.joined(conditions, "semicolon"))
        return self.say("filter", conditions=told)

    def rate_row(self, depth: int, rate: RateRow) -> Iterator[Line]:
        """A compiled rate table; its fractions are percents again, as in the file."""
        percents = rate.pays in ("pct", "payout_pct")
        base = "" if rate.base_rate is None else plain(rate.base_rate.scaleb(2))

        def pays(value: Decimal) -> str:
            told = plain(value.scaleb(2) if percents else value)
            return phrase(VALUES, rate.pays, self.language, value=told, base=base)

        if rate.basis == "none" or rate.band_rule is None:
            for _, _, value in rate.bands:
                yield depth, self.say("flat", pays=pays(value))
            return
        steps = rate.band_rule == "marginal" and rate.pays == "fixed"
        rule = phrase(RULES, "steps" if steps else rate.band_rule, self.language)
        yield depth, self.say("rate", basis=self.word(rate.basis), rule=rule)
        for lower, upper, value in rate.bands:
            yield depth + 1, self.say("band", range=self.ends(lower, upper), pays=pays(value), back="")

    def range(self, given: Range | Band) -> str:
        """Its ends in words."""
        return self.ends(given.lower, given.upper)

    def ends(self, lower: Decimal | None, upper: Decimal | None) -> str:
        """From one to the other, in words."""
        if lower is not None and upper is not None:
            return self.say("from_to", lower=plain(lower), upper=plain(upper))
        if lower is not None:
            return self.say("from", lower=plain(lower))
        return self.say("any") if upper is None else self.say("to", upper=plain(upper))

    def rates(self, component: Component) -> Iterator[Line]:
        if component.rate is not None:
            yield from self.rate(2, component.rate)
            return
        yield 2, self.stated(component, "precedence", self.say(component.precedence))
        for number, rule in enumerate(component.rules, start=1):
            yield from self.rule(number, rule)

    def rule(self, number: int, rule: RateRule) -> Iterator[Line]:
        name = f": {rule.name}" if rule.name else ""
        yield 2, self.say("rule_title", number=number, name=name)
        yield 3, self.stated(rule, "filter", self.filter(rule.filter, whole="everything"))
        yield from self.rate(3, rule.rate)
        limits = self.limits(rule.limits)
        text = self.say("limits", limits=limits) if limits else self.say("no_limits")
        yield 3, self.stated(rule, "limits", text)

    def rate(self, depth: int, rate: Rate) -> Iterator[Line]:
        def pays(value: Decimal) -> str:
            base = "" if rate.base_rate is None else plain(rate.base_rate)
            return phrase(VALUES, rate.pays, self.language, value=plain(value), base=base)

        if rate.value is not None:
            yield depth, self.say("flat", pays=pays(rate.value))
            return
        steps = rate.band_rule == "marginal" and rate.pays == "fixed"
        rule = phrase(RULES, "steps" if steps else rate.band_rule, self.language)
        yield depth, self.say("rate", basis=self.word(rate.basis), rule=rule)
        for band in rate.bands:
            back = self.say("back") if band.back_to_start else ""
            yield depth + 1, self.say("band", range=self.range(band), pays=pays(band.value), back=back)
        for point in rate.points:
            yield depth + 1, self.say("point", at=plain(point.at), pays=pays(point.value))
        outside = phrase(OUTSIDE, rate.outside or "covered", self.language)
        yield depth + 1, self.stated(rate, "outside", self.say("outside", outside=outside))
        if rate.decelerates:
            yield depth + 1, self.say("decelerates")

    def factors(self, component: Component) -> Iterator[Line]:
        """Modifier, gates and weight."""
        modifier = component.modifier
        if modifier is None:
            yield 2, self.stated(component, "modifier", self.say("no_modifier"))
        else:
            points = [
                self.say("modifier_point", value=plain(point.value), factor=plain(point.factor))
                for point in modifier.curve
            ]
            subject = self.word(modifier.subject)
            yield 2, self.say("modifier", kpi=modifier.by, subject=subject, points=self.joined(points, "comma"))
        for gate in component.gates:
            yield from self.gate(gate)
        if not component.gates:
            yield 2, self.stated(component, "gates", self.say("no_gate"))
        yield 2, self.stated(component, "weight_pct", self.say("weight", weight=plain(component.weight_pct)))

    def gate(self, gate: Gate) -> Iterator[Line]:
        if gate.kpi is not None:
            what = self.say("gate_kpi", kpi=gate.kpi, subject=self.word(gate.subject))
        else:
            parts = [
                self.say("gate_part", component=part.component, weight=plain(part.weight)) for part in gate.weighted
            ]
            what = self.say("gate_weighted", parts=self.joined(parts, "comma"))
        if gate.below is not None:
            mark = self.say("below", value=plain(gate.below))
        else:
            mark = self.say("at_most", value=plain(gate.at_most or 0))
        then = gate.then
        if then.rate is not None:
            yield 2, self.say("gate", what=what, mark=mark, then=self.say("then_rate"))
            yield from self.rate(3, then.rate)
        elif then.factor is not None:
            factor = self.say("then_factor", factor=plain(then.factor))
            yield 2, self.say("gate", what=what, mark=mark, then=factor)
        else:
            yield 2, self.say("gate", what=what, mark=mark, then=self.say("then_hold"))

    def limits(self, limits: PayLimits) -> str:
        """Floor and caps in words; nothing where there are none."""
        found = []
        if limits.floor is not None:
            found.append(self.say("floor_of", amount=plain(limits.floor)))
        if limits.cap is not None:
            found.append(self.say("cap_of", amount=plain(limits.cap)))
        if limits.cap_pct is not None:
            found.append(self.say("cap_pct", pct=plain(limits.cap_pct)))
        return self.joined(found)

    def payment(self, plan: Plan, component: Component) -> Iterator[Line]:
        """Limits, what is below zero, returns, clawback, payout, currencies."""
        limits: ComponentLimits = component.limits
        words = self.limits(limits)
        text = self.say("limits", limits=words) if words else self.say("no_limits")
        yield 2, self.stated(component, "limits", text)
        if limits.cap is not None or limits.cap_pct is not None:
            excess = self.say("excess_carried" if limits.carry_excess else "excess_lost")
            yield 2, self.stated(limits, "carry_excess", excess)
        yield 2, self.stated(component, "negative", self.say(f"negative_{component.negative}"))
        if component.measure.kpi is None:
            yield 2, self.stated(component, "returns", self.say(component.returns))
            yield 2, self.clawback(component)
        yield from self.payout(component)
        rate_type = component.rate_type or plan.rate_type
        yield 2, self.stated(component, "rate_type", self.say("rate_type", rate_type=self.word(rate_type)))
        kept = self.say("document" if component.currency == "document" else "one_currency")
        yield 2, self.stated(component, "currency", kept)

    def clawback(self, component: Component) -> str:
        clawback = component.clawback
        if clawback is None:
            return self.stated(component, "clawback", self.say("no_clawback"))
        if clawback.take.linear_months is not None:
            take = self.say("take_linear", months=clawback.take.linear_months)
        else:
            take = self.say("take_pct", pct=plain(clawback.take.pct or 0))
        return self.say("clawback", on=self.word(clawback.on), days=clawback.within_days, take=take)

    def payout(self, component: Component) -> Iterator[Line]:
        payout = component.payout
        release = payout.release
        if release is None:
            yield 2, self.stated(payout, "hold_pct", self.say("no_hold"))
        else:
            when = (
                self.say("after_days", days=release.after_days)
                if release.after_days is not None
                else self.word(release.at or "year_end")
            )
            yield 2, self.say("hold", pct=plain(payout.hold_pct), release=when)
        parts = payout.instalments
        text = self.say("instalments", n=parts.n, every=self.word(parts.every)) if parts.n > 1 else self.say("at_once")
        yield 2, self.stated(payout, "instalments", text)

    def spiff(self, spiff: Spiff) -> Iterator[Line]:
        pays = self.say("spiff_fixed" if spiff.pays == "fixed" else "spiff_pct", value=plain(spiff.value))
        minimum = self.say("minimum", amount=plain(spiff.minimum.deal_amount)) if spiff.minimum else ""
        text = self.say(
            "spiff",
            id=spiff.id,
            name=self.name(spiff, spiff.id),
            pays=pays,
            of=spiff.of,
            minimum=minimum,
            proportional=self.say("proportional" if spiff.proportional else "by_credit"),
        )
        yield 1, text
        yield 2, self.stated(spiff, "filter", self.filter(spiff.filter, whole="everything"))

    def draw(self, number: int, draw: Draw) -> str:
        if draw.amount is not None:
            amount = self.say("draw_amount", amount=plain(draw.amount), per=self.word(draw.per))
        else:
            amount = self.say("draw_pct", pct=plain(draw.pct_of_target_pay or 0))
        if draw.prorate == "none":
            proration = self.say("not_prorated")
        else:
            proration = self.say("prorated_by", by=self.word(draw.prorate))
        periods = self.say("first_periods", count=draw.periods) if draw.periods else self.say("all_periods")
        recovery = (
            self.say(
                "recovered",
                start=draw.recover_from,
                pct=plain(draw.recover_pct),
                least=plain(draw.never_below),
                order=draw.repay_order or number,
            )
            if draw.is_recoverable
            else self.say("kept")
        )
        return self.say(
            "draw",
            number=number,
            kind=self.word(draw.kind),
            amount=amount,
            proration=proration,
            periods=periods,
            recovery=recovery,
        )

    def proposal(self, number: int, proposal: Proposal) -> str:
        return self.say(
            "proposal",
            number=number,
            award=self.word(proposal.award),
            name=self.name(proposal, self.word(proposal.award)),
            value=self.say("worth", value=plain(proposal.value)) if proposal.value else "",
            component=proposal.condition.component or self.say("any_component"),
            mark=plain(proposal.condition.attainment.lower),
            periods=proposal.condition.periods,
        )
