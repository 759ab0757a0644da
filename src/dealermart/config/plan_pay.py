"""What plans pay besides their components: SPIFFs, draws, proposals; and the rules of the whole statement."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from dealermart.config.contracts import Name
from dealermart.config.plan_component import Amount, Component, Percent, Text
from dealermart.config.plan_filter import EVERYTHING, Bound, Filter, all_of
from dealermart.config.plan_measure import Prorate
from dealermart.config.plan_rate import Band, Rate
from dealermart.config.yamlfile import Fault, Location, Strict

Positive = Annotated[Amount, Field(gt=0)]


class TargetPay(Strict):
    """Variable pay at target. Pay of a year is prorated to the period; a component pays its weight of it.

    Attributes:
        of: The ``target_pay_amount`` of each payee's row of the feed ``plan_assignments``.
        amount: Instead the same for all.
    """

    of: Literal["assignment"] | None = None
    amount: Positive | None = None
    per: Literal["year", "period"] = "year"

    def faults_at(self, at: Location) -> Iterator[Fault]:
        """Two sources, or none."""
        if (self.of is None) == (self.amount is None):
            yield Fault(at, "the target pay has one source", "write {of: assignment} or {amount: 20000}")


class Minimum(Strict):
    """What a deal must reach to earn a SPIFF: its net amount, in the plan's currency."""

    deal_amount: Positive


class Spiff(Strict):
    """An extra for each deal (document) of a component that meets the filter of both.

    Who has a part of a deal's direct credit gets this part of the value, so that a shared deal pays it once.

    Attributes:
        of: The component whose events, credit and trigger it follows.
        pays: ``fixed``: ``value`` is an amount; ``pct_of_target_pay``: percent of the component's part of the target
            pay of the period.
        proportional: Whether the value is multiplied by the deal's credited measure / the component's target, so that
            a deal of half the target earns half of it; the credit's part is in the measure then.
    """

    id: Name
    name: Text | None = None
    name_zh: Text | None = None
    of: Name
    filter: Filter = EVERYTHING
    minimum: Minimum | None = None
    pays: Literal["fixed", "pct_of_target_pay"] = "fixed"
    value: Positive
    proportional: bool = False

    @property
    def rate(self) -> Rate:
        """What a document of the minimum or more pays, as a rate table of one band."""
        band = Band(**{"from": self.minimum.deal_amount if self.minimum else None, "value": self.value})
        pays: Literal["fixed", "payout_pct"] = "fixed" if self.pays == "fixed" else "payout_pct"
        return Rate(basis="deal_amount", rule="whole_base", pays=pays, outside="zero", bands=(band,))

    def faults_at(self, at: Location, components: dict[str, Component], has_target_pay: bool) -> Iterator[Fault]:
        """A component that is not there or has no deals, and filters that shut each other out."""
        yield from self.filter.faults_at((*at, "filter"))
        parent = components.get(self.of)
        if parent is None:
            yield Fault((*at, "of"), f"{self.of!r} is no component", f"one of: {', '.join(components)}")
        elif parent.measure.kpi is not None:
            yield Fault((*at, "of"), f"{self.of} measures a KPI, which has no deals", "name a component of sales")
        elif self.proportional and parent.target is None:
            yield Fault((*at, "proportional"), f"{self.of} has no target to be a part of", "add one, or leave it out")
        elif not all_of(parent.alternatives, self.filter.alternatives):
            yield Fault((*at, "filter"), f"no sale meets this and the filter of {self.of}", "widen one of the two")
        if self.pays == "pct_of_target_pay" and not has_target_pay:
            yield Fault(
                (*at, "pays"), "the plan has no target pay", "add target_pay: {of: assignment, per: year} to the plan"
            )


class Draw(Strict):
    """Pay that does not wait for earnings.

    Attributes:
        kind: ``guarantee`` fills earnings up to the amount, ``on_top`` adds it, ``ahead`` pays it in advance of what
            will be earned.
        recoverable: Whether later earnings pay it back. Without it only ``ahead`` is.
        amount: How much; or ``pct_of_target_pay`` percent of the target pay of the period.
        per: Of the amount; an amount per month is paid for each month of the period.
        prorate: By what a part of the period counts in which the payee has the plan.
        periods: For how many of the payee's first periods with the plan; without it all.
        recover_from: The payee's period, counted from 1, from which it is paid back; without it as soon as earned.
        recover_pct: At most this part of a period's earnings is taken to pay it back.
        never_below: What of a period's earnings at least stays when it is paid back; of a guarantee never less than
            the guarantee itself.
        repay_order: Which draw is paid back first; without it their order in the file.
    """

    kind: Literal["guarantee", "on_top", "ahead"]
    recoverable: bool | None = None
    amount: Positive | None = None
    pct_of_target_pay: Percent | None = None
    per: Literal["month", "period"] = "period"
    prorate: Prorate = "calendar_days"
    periods: Annotated[int, Field(ge=1)] | None = None
    recover_from: Annotated[int, Field(ge=1)] = 1
    recover_pct: Percent = Decimal(100)
    never_below: Annotated[Amount, Field(ge=0)] = Decimal(0)
    repay_order: Annotated[int, Field(ge=1)] | None = None

    @property
    def is_recoverable(self) -> bool:
        return self.kind == "ahead" if self.recoverable is None else self.recoverable

    def faults_at(self, at: Location, has_target_pay: bool) -> Iterator[Fault]:
        """A draw of nothing, and ways of paying back what is never paid back."""
        if (self.amount is None) == (self.pct_of_target_pay is None):
            what = "the draw has no amount" if self.amount is None else "amount and pct_of_target_pay are both given"
            yield Fault(at, what, "give amount, or pct_of_target_pay")
        if self.pct_of_target_pay is not None and not has_target_pay:
            yield Fault(
                (*at, "pct_of_target_pay"),
                "the plan has no target pay",
                "add target_pay: {of: assignment, per: year} to the plan, or write amount",
            )
        if self.pct_of_target_pay is not None and self.per == "month":
            yield Fault((*at, "per"), "a part of the period's target pay is per period", "leave per out")
        if self.kind == "ahead" and self.recoverable is False:
            yield Fault((*at, "recoverable"), "what is paid ahead is paid back", "write kind: on_top, or leave it out")
        if not self.is_recoverable:
            for field in ("recover_from", "recover_pct", "never_below", "repay_order"):
                if field in self.model_fields_set:
                    yield Fault((*at, field), "the draw is never paid back", "add recoverable: true, or leave it out")


class Leaver(Strict):
    """What becomes of a payee who leaves within the period.

    ``must_be_employed: period_end``: only who is still employed at the end of the period is paid in full; otherwise
    nothing is (``forfeit``), the part of the days employed (``prorate``), or what was earned (``pay_earned``).
    """

    must_be_employed: Literal["period_end"]
    otherwise: Literal["forfeit", "prorate", "pay_earned"] = "forfeit"


class AttainmentFrom(Strict):
    """An attainment to reach: 1 is the target met."""

    lower: Annotated[Bound, Field(gt=0)] = Field(alias="from")


class Condition(Strict):
    """When a proposal is made: so many periods in a row with such an attainment, of a component or of any."""

    attainment: AttainmentFrom
    component: Name | None = None
    periods: Annotated[int, Field(ge=1)] = 1


class Proposal(Strict):
    """Something that is no pay, or a benefit with a money value, to be decided by a person."""

    condition: Condition = Field(alias="if")
    award: Literal["recognition", "promotion", "training", "benefit"]
    name: Text | None = None
    name_zh: Text | None = None
    value: Positive | None = None

    def faults_at(self, at: Location, components: dict[str, Component]) -> Iterator[Fault]:
        """A component without attainment, and a value where there is none."""
        measured = [code for code, component in components.items() if component.target is not None]
        wanted = self.condition.component
        if wanted is not None and wanted not in components:
            yield Fault((*at, "if", "component"), f"{wanted!r} is no component", f"one of: {', '.join(components)}")
        elif not measured or (wanted is not None and wanted not in measured):
            yield Fault((*at, "if"), "there is no attainment without a target", "add a target to the component")
        if (self.award == "benefit") != (self.value is not None):
            what = "a benefit has a value" if self.value is None else f"{self.award} has no value"
            mend = "add value, an amount" if self.value is None else "leave it out, or write award: benefit"
            yield Fault(at if self.value is None else (*at, "value"), what, mend)
