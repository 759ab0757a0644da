"""Components of plans: each earns something for one measure, under its own filter, rates, gates and limits."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field
from pydantic.json_schema import SkipJsonSchema

from dealermart.config.contracts import Name
from dealermart.config.kpis import Kpi
from dealermart.config.plan_filter import EVERYTHING, Bound, Filter, all_of
from dealermart.config.plan_measure import HUNDRED, AnyTrigger, Measure, Subject, Target, Trigger, kpi_faults
from dealermart.config.plan_rate import Rate, Setting
from dealermart.config.yamlfile import Fault, Location, Strict, repeated

Amount = Annotated[Decimal, Field(max_digits=16, decimal_places=2)]

Percent = Annotated[Decimal, Field(gt=0, le=100, decimal_places=4)]

Text = Annotated[str, Field(min_length=1)]

Role = Literal["owner", "co_owner", "seller", "overlay", "rollup", "dealer"]

RateType = Literal["plan", "market"]

DIRECT: tuple[Role, ...] = ("owner", "co_owner", "seller")


class PayLimits(Strict):
    """Least and most that is paid. ``cap_pct`` is percent of the payee's target pay of the period, whole, whatever a
    component weighs; of two caps the lower one holds."""

    floor: Amount | None = None
    cap: Amount | None = None
    cap_pct: Annotated[Decimal, Field(gt=0, max_digits=12, decimal_places=4)] | None = None
    carry_excess: SkipJsonSchema[bool] = False  # of components alone; known here to say so

    def faults_at(self, at: Location, has_target_pay: bool) -> Iterator[Fault]:
        """A floor above the cap, a cap of nothing, and an excess that nothing carries."""
        if self.carry_excess and not isinstance(self, ComponentLimits):
            yield Fault(
                (*at, "carry_excess"),
                "only components carry what their cap cut off; that of a rule or of the statement is lost",
                "leave it out, or put cap and carry_excess into the limits of a component",
            )
        if self.floor is not None and self.cap is not None and self.floor > self.cap:
            yield Fault(at, f"the floor of {self.floor} lies above the cap of {self.cap}", "lower one, raise the other")
        if self.cap_pct is not None and not has_target_pay:
            yield Fault(
                (*at, "cap_pct"),
                "cap_pct is a part of the target pay, and the plan has none",
                "add target_pay: {of: assignment, per: year} to the plan, or write cap",
            )


class ComponentLimits(PayLimits):
    """PayLimits of a component; what lies above the cap is lost, or carried into the next period."""

    carry_excess: bool = False

    def faults_at(self, at: Location, has_target_pay: bool) -> Iterator[Fault]:
        """Besides, an excess to carry where there is no cap."""
        yield from super().faults_at(at, has_target_pay)
        if self.carry_excess and self.cap is None and self.cap_pct is None:
            yield Fault(
                (*at, "carry_excess"), "without a cap there is no excess", "add cap or cap_pct, or leave it out"
            )


class RateRule(Strict):
    """A rate for a part of the component's events."""

    name: Text | None = None
    filter: Filter = EVERYTHING
    rate: Rate
    limits: PayLimits = PayLimits()


class CurvePoint(Strict):
    """The factor at a value of the KPI."""

    value: Bound
    factor: Bound


class Modifier(Strict):
    """A KPI whose value multiplies what the component earns, by a curve; beyond its ends the end factors hold."""

    by: Name
    subject: Subject = "self"
    curve: Annotated[tuple[CurvePoint, ...], Field(min_length=2)]

    def faults_at(self, at: Location, payee: str, kpis: dict[str, Kpi]) -> Iterator[Fault]:
        """Points out of order, and a KPI that does not exist."""
        for found in kpi_faults(kpis, self.by, self.subject, payee, at):
            yield found._replace(location=(*at, "by"))
        for number, (left, right) in enumerate(pairwise(self.curve), start=1):
            if right.value <= left.value:
                yield Fault(
                    (*at, "curve", number),
                    f"the value {right.value} is not above the one before it, {left.value}",
                    "give the points by ascending value",
                )


class Weighted(Strict):
    """The attainment of a component, and its weight among the others of the gate."""

    component: Name
    weight: Annotated[Bound, Field(gt=0)]


class Consequence(Strict):
    """What a gate does: multiply by a factor, put a lower rate table in place of the rates, or hold the component."""

    factor: Annotated[Bound, Field(ge=0)] | None = None
    rate: Rate | None = None
    hold: Literal[True] | None = None


class Gate(Strict):
    """What becomes of the component while a KPI, or the weighted attainment of components, is too low.

    It acts where the value is ``below`` the mark (or ``at_most`` the mark); a KPI without a value in the period, and an
    attainment without a target, let nothing act. Of several gates that act the lowest factor counts; one that holds
    outweighs all.
    """

    kpi: Name | None = None
    subject: Subject = "self"
    weighted: tuple[Weighted, ...] = ()
    below: Bound | None = None
    at_most: Bound | None = None
    then: Consequence

    def faults_at(self, at: Location, payee: str, kpis: dict[str, Kpi], setting: Setting) -> Iterator[Fault]:
        """Fields that do not go together."""
        if (self.kpi is None) == (not self.weighted):
            yield Fault(at, "a gate is of one KPI, or weighted of components", "give kpi, or weighted, and not both")
        if self.kpi is not None:
            yield from kpi_faults(kpis, self.kpi, self.subject, payee, at)
        elif "subject" in self.model_fields_set:
            yield Fault((*at, "subject"), "subject goes with a KPI", "leave it out")
        yield from repeated((part.component for part in self.weighted), (*at, "weighted"), "component", "component")
        if (self.below is None) == (self.at_most is None):
            yield Fault(at, "a gate has one mark", "give below (the mark passes) or at_most (it does not)")
        given = [name for name in ("factor", "rate", "hold") if getattr(self.then, name) is not None]
        if len(given) != 1:
            yield Fault((*at, "then"), "a gate does one thing", "write {factor: 0}, {rate: {...}} or {hold: true}")
        if self.then.rate is not None:
            yield from self.then.rate.faults_at((*at, "then", "rate"), setting)


class TakePart(Strict):
    """A share of what was paid, or all of it falling evenly to nothing over so many months."""

    pct: Percent | None = None
    linear_months: Annotated[int, Field(ge=1)] | None = None


def _all_taken(given: Any) -> Any:
    """``all`` is short for 100 percent."""
    if isinstance(given, str):
        if given != "all":
            raise ValueError(f"{given!r} is not all; or write {{pct: 50}} or {{linear_months: 12}}")
        return {"pct": 100}
    return given


AnyTake = Annotated[TakePart, BeforeValidator(_all_taken, json_schema_input_type=Literal["all"] | TakePart)]


class Clawback(Strict):
    """What is taken back of what was paid, and how long after the sale it can be.

    ``on``: a ``return`` (of goods or by credit note), ``cancel`` (credit notes alone), or ``leaver``: the payee leaves.
    """

    on: Literal["return", "cancel", "leaver"]
    within_days: Annotated[int, Field(ge=1)]
    take: AnyTake = TakePart(pct=Decimal(100))

    def faults_at(self, at: Location) -> Iterator[Fault]:
        """Two ways of taking at once."""
        if (self.take.pct is None) == (self.take.linear_months is None):
            yield Fault((*at, "take"), "a clawback takes one part", "write all, {pct: 50} or {linear_months: 12}")


class Release(Strict):
    """When what was held back is paid: days after the end of the period, or on an occasion."""

    after_days: Annotated[int, Field(ge=1)] | None = None
    at: Literal["year_end", "collected", "clawback_end"] | None = None


class Instalments(Strict):
    """In how many equal parts, and how far apart, what is not held back is paid; the first in its own period."""

    n: Annotated[int, Field(ge=1, le=120)] = 1
    every: Literal["month", "quarter"] = "month"


class Payout(Strict):
    """When what was earned is paid: ``hold_pct`` percent wait for the release, the rest comes in instalments."""

    hold_pct: Annotated[Decimal, Field(ge=0, le=100, decimal_places=4)] = Decimal(0)
    release: Release | None = None
    instalments: Instalments = Instalments()

    def faults_at(self, at: Location, clawback: Clawback | None) -> Iterator[Fault]:
        """What is held and never released, and releases of nothing."""
        if self.hold_pct and self.release is None:
            yield Fault(at, "nothing says when what is held back is paid", "add release: {after_days: 90}")
        if self.release is None:
            return
        here = (*at, "release")
        if not self.hold_pct:
            yield Fault(here, "nothing is held back", "add hold_pct, or leave release out")
        if (self.release.after_days is None) == (self.release.at is None):
            yield Fault(
                here,
                "a release has one occasion",
                "write {after_days: 90} or {at: year_end}, collected or clawback_end",
            )
        if self.release.at == "clawback_end" and clawback is None:
            yield Fault(here, "there is no clawback that could end", "add clawback, or name another occasion")


class Component(Strict):
    """One component of a plan.

    Attributes:
        filter: Which events count; without it all (of ``sell_in``).
        credit: Whose credit counts. Without it ``[owner, co_owner, seller]``, and for dealers ``[dealer]``.
        trigger: When a sale is paid; without it when it is invoiced, and ``collected_amount`` when it is collected.
        accumulate: Over what bands are filled: each document by itself, the period, or the fiscal year so far.
        collected_counts_in: Of what is wholly due on collection, whether a payment fills the bands of its own period,
            or those of the period of the sale. Where only a share is due on collection the sale fills the bands.
        precedence: Of several rules that an event meets: the one with most conditions (of equals the first), all of
            them, or the first.
        weight_pct: The part of the target pay that this component pays.
        negative: What becomes of a component below zero: taken back at once, carried into the next period, or left.
        returns: A return takes back what its sale was paid, or the old period is reckoned anew and the difference is
            paid now.
        rate_type: By which exchange rates; without it those of the plan.
        currency: ``document``: documents' currencies are kept apart, a line of the statement each.
    """

    id: Name
    name: Text | None = None
    name_zh: Text | None = None
    measure: Measure
    filter: Filter = EVERYTHING
    credit: Annotated[tuple[Role, ...], Field(min_length=1)] | None = None
    trigger: AnyTrigger | None = None
    accumulate: Literal["transaction", "period", "year_to_date"] = "period"
    target: Target | None = None
    collected_counts_in: Literal["payment_period", "sale_period"] = "payment_period"
    modifier: Modifier | None = None
    rate: Rate | None = None
    rules: tuple[RateRule, ...] = ()
    precedence: Literal["most_specific", "add", "first"] = "most_specific"
    gates: tuple[Gate, ...] = ()
    weight_pct: Percent = Decimal(100)
    limits: ComponentLimits = ComponentLimits()
    negative: Literal["pay", "carry", "zero"] = "pay"
    returns: Literal["original_rate", "rerate"] = "original_rate"
    clawback: Clawback | None = None
    payout: Payout = Payout()
    rate_type: RateType | None = None
    currency: Literal["document"] | None = None

    @property
    def alternatives(self) -> list[dict[str, Any]]:
        """The filter as a list of conditions any of which is enough; sales of the brand unless it names channels."""
        if self.measure.kpi is not None:
            return self.filter.alternatives
        return [{"channel": ("sell_in",)} | given for given in self.filter.alternatives]

    def credits(self, payee: str) -> tuple[Role, ...]:
        """Whose credit counts; nobody's for a KPI, whose value is the payee's own."""
        if self.measure.kpi is not None:
            return ()
        return self.credit or (("dealer",) if payee == "dealer" else DIRECT)

    @property
    def due(self) -> Trigger:
        """When a sale is paid, stated or not."""
        if self.trigger is not None:
            return self.trigger
        on = "collected" if self.measure.of == "collected_amount" else "invoiced"
        return Trigger.model_validate({"shares": [{"on": on, "pct": 100}]})

    @property
    def rate_rules(self) -> tuple[RateRule, ...]:
        """The rules; a single rate is a rule for everything."""
        return self.rules if self.rate is None else (RateRule(rate=self.rate),)

    @property
    def target_category(self) -> str | None:
        """The category to which the rows of the feed ``targets`` must be limited; None: to none."""
        if self.target is None or self.target.metric is None:
            return None
        named = self.filter.product_category
        return self.target.product_category or (named[0] if len(named) == 1 else None)

    def faults_at(
        self, at: Location, payee: str, period: str, has_target_pay: bool, kpis: dict[str, Kpi]
    ) -> Iterator[Fault]:
        """What no single field shows."""
        setting = Setting(
            self.measure.kpi or self.measure.code,
            self.measure.unit(kpis),
            self.measure.kpi is not None,
            self.accumulate,
            self.target is not None,
            has_target_pay,
        )
        yield from self.measure.faults_at((*at, "measure"), payee, kpis)
        yield from self.filter.faults_at((*at, "filter"))
        yield from self._credit_faults(at, payee)
        yield from self._trigger_faults(at)
        if self.target is not None:
            yield from self.target.faults_at((*at, "target"), self.measure, payee, period, kpis)
        if self.modifier is not None:
            yield from self.modifier.faults_at((*at, "modifier"), payee, kpis)
        yield from self._rate_faults(at, setting)
        for index, gate in enumerate(self.gates):
            yield from gate.faults_at((*at, "gates", index), payee, kpis, setting)
        yield from self.limits.faults_at((*at, "limits"), has_target_pay)
        if self.clawback is not None:
            yield from self.clawback.faults_at((*at, "clawback"))
        yield from self.payout.faults_at((*at, "payout"), self.clawback)
        if self.due.pct("invoiced") and self.payout.hold_pct + self.due.pct("collected") > HUNDRED:
            yield Fault(
                (*at, "payout", "hold_pct"),
                f"{self.payout.hold_pct} % held and {self.due.pct('collected')} % due on collection are more than all",
                "hold less, or let more be due when it is invoiced",
            )
        if self.measure.kpi is not None:
            yield from self._kpi_faults(at)
        if self.currency is not None:
            yield from self._currency_faults(at)

    def _credit_faults(self, at: Location, payee: str) -> Iterator[Fault]:
        here = (*at, "credit")
        given = self.credit or ()
        if len(set(given)) < len(given):
            yield Fault(here, "a role stands twice", "name each once")
        wrong = [role for role in given if (role == "dealer") != (payee == "dealer")]
        if wrong:
            whom = "dealers, who are credited as dealer" if payee == "dealer" else "members"
            mend = "write [dealer]" if payee == "dealer" else "name owner, co_owner, seller, overlay or rollup"
            yield Fault(here, f"{wrong[0]} is no role of {whom}", mend)

    def _trigger_faults(self, at: Location) -> Iterator[Fault]:
        if self.trigger is not None:
            yield from self.trigger.faults_at((*at, "trigger"))
            if self.measure.of == "collected_amount" and self.trigger.pct("invoiced"):
                yield Fault(
                    (*at, "trigger"), "what is collected cannot be due before it is", "write collected, or leave it out"
                )
        if "collected_counts_in" in self.model_fields_set and not self.due.pct("collected"):
            yield Fault(
                (*at, "collected_counts_in"), "nothing is due on collection", "leave it out, or correct the trigger"
            )

    def _rate_faults(self, at: Location, setting: Setting) -> Iterator[Fault]:
        if (self.rate is None) == (not self.rules):
            what = "nothing says what is paid" if self.rate is None else "rate and rules are both given"
            yield Fault(at, what, "give one rate, or rules with filters")
        if "precedence" in self.model_fields_set and not self.rules:
            yield Fault((*at, "precedence"), "precedence is between rules", "leave it out")
        if self.rate is not None:
            yield from self.rate.faults_at((*at, "rate"), setting)
        for index, rule in enumerate(self.rules):
            here = (*at, "rules", index)
            yield from rule.filter.faults_at((*here, "filter"))
            if not all_of(self.alternatives, rule.filter.alternatives):
                yield Fault(
                    (*here, "filter"),
                    f"no sale meets this and the filter of {self.id}, which is of sell_in unless it names channels",
                    "widen one of the two",
                )
            yield from rule.rate.faults_at((*here, "rate"), setting)
            yield from rule.limits.faults_at((*here, "limits"), setting.has_target_pay)

    def _kpi_faults(self, at: Location) -> Iterator[Fault]:
        """A KPI has its own population and its own credit."""
        senseless = ["filter", "credit", "trigger", "returns", "clawback"]
        for field in senseless:
            if field in self.model_fields_set:
                yield Fault(
                    (*at, field), f"a KPI has no {field}: its value is counted as kpis.yml says", "leave it out"
                )
        if any(rule.filter.given or rule.filter.any_of for rule in self.rules):
            yield Fault((*at, "rules"), "a KPI cannot be filtered", "write one rate")
        if self.accumulate == "transaction":
            yield Fault((*at, "accumulate"), "a KPI has no transactions", "leave it out, or write year_to_date")
        if self.payout.release is not None and self.payout.release.at == "collected":
            yield Fault((*at, "payout", "release"), "a KPI is not collected", "name another occasion")

    def _currency_faults(self, at: Location) -> Iterator[Fault]:
        """Amounts of one currency have no place where currencies are kept apart."""
        here = (*at, "currency")
        tables = [rule.rate for rule in self.rate_rules] + [gate.then.rate for gate in self.gates if gate.then.rate]
        if any(table.pays not in ("pct", "base_rate_factor") for table in tables):
            yield Fault(here, "amounts of the plan are in one currency", "pay pct, or leave currency out")
        if self.target is not None:
            yield Fault(here, "a target is in one currency", "leave the target or currency out")
        limits = [self.limits, *(rule.limits for rule in self.rules)]
        if any(found != type(found)() for found in limits):
            yield Fault(here, "limits are in one currency", "leave limits or currency out")
