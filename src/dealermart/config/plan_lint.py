"""What in a plan that has no fault is probably not meant: `dealermart plan lint` asks."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise

from dealermart.config.kpis import Kpi
from dealermart.config.numbers import plain
from dealermart.config.plan_component import Component, PayLimits
from dealermart.config.plan_measure import HUNDRED
from dealermart.config.plan_rate import Band, Rate
from dealermart.config.plans import Plan
from dealermart.config.yamlfile import Fault, Location

_HAPPENS = {
    "zero": "nothing is paid there",
    "edge": "the band beside it goes on",
    "hold": "the line waits for a person",
}

_OF_TARGET_PAY = ("multiplier", "payout_pct")


def plan_findings(plan: Plan, kpis: dict[str, Kpi]) -> Iterator[Fault]:
    """Bands that leave something open, rates that fall, caps out of reach, weights that do not sum to 100.

    Args:
        plan: A plan without a fault.
        kpis: The registry; where less is better, values may fall.
    """
    for index, component in enumerate(plan.components):
        at: Location = ("components", index)
        for here, rate in _tables(at, component):
            yield from _open(here, rate)
            if not rate.decelerates and _rises(rate, component, kpis):
                yield from _falling(here, rate)
        yield from _caps(at, component)
    yield from _statement_cap(plan)
    yield from _weights(plan)


def _tables(at: Location, component: Component) -> Iterator[tuple[Location, Rate]]:
    if component.rate is not None:
        yield (*at, "rate"), component.rate
    for number, rule in enumerate(component.rules):
        yield (*at, "rules", number, "rate"), rule.rate
    for number, gate in enumerate(component.gates):
        if gate.then.rate is not None:
            yield (*at, "gates", number, "then", "rate"), gate.then.rate


def _open(at: Location, rate: Rate) -> Iterator[Fault]:
    """Gaps, and top ends where what was earned falls away or nothing more is earned.

    Below the first band nothing is said: a threshold is what it is for. Steps and interpolated bands end on purpose.
    """
    happens = _HAPPENS[rate.outside or "hold"]
    for number, (left, right) in enumerate(pairwise(rate.bands), start=1):
        if left.upper != right.lower:
            yield Fault(
                (*at, "bands", number),
                f"between {left.upper} and {right.lower} there is no band; {happens}",
                f"let the band begin at {left.upper}",
            )
    steps = rate.band_rule == "interpolated" or (rate.band_rule == "marginal" and rate.pays == "fixed")
    if rate.bands and rate.bands[-1].upper is not None and rate.outside != "edge" and not steps:
        yield Fault(
            (*at, "bands", len(rate.bands) - 1),
            f"from {rate.bands[-1].upper} on there is no band; {happens}",
            "leave out its to; a limit of what is paid is a cap of limits",
        )
    if rate.points and rate.outside != "edge":
        yield Fault(
            (*at, "points", len(rate.points) - 1),
            f"from {rate.points[-1].at} on the curve has no value; {happens}",
            "write outside: edge, which keeps the value of the last point, or add a point",
        )


def _rises(rate: Rate, component: Component, kpis: dict[str, Kpi]) -> bool:
    """Whether more of what the bands are over is better, so that a falling value surprises."""
    kpi = kpis.get(component.measure.kpi or "")
    if kpi is not None and kpi.direction == "lower":
        return False
    return rate.basis != "discount_pct" and not (rate.band_rule == "marginal" and rate.pays == "fixed")


def _falling(at: Location, rate: Rate) -> Iterator[Fault]:
    mend = "correct the value, or write decelerates: true beside the bands"
    for number, (before, after) in enumerate(pairwise(rate.points), start=1):
        if after.value < before.value:
            what = f"the value falls from {before.value} at {before.at} to {after.value} at {after.at}"
            yield Fault((*at, "points", number), what, mend)
    for number, (left, right) in enumerate(pairwise(rate.bands), start=1):
        if _slope(right, rate) < _slope(left, rate):
            what = f"the rate falls from {left.value} to {right.value} where the band begins, at {right.lower}"
            yield Fault((*at, "bands", number), what, mend)


def _slope(band: Band, rate: Rate) -> Decimal:
    """The rate of a band; that of an interpolated one is its value over its width."""
    if rate.band_rule == "interpolated" and band.lower is not None and band.upper is not None:
        return band.value / (band.upper - band.lower)
    return band.value


def _most(rate: Rate, component: Component) -> Decimal | None:
    """The most that fixed amounts or payout percents of a table come to; None where there is no such limit.

    Amounts, and fractions of the target pay, of which a component pays its weight.
    """
    if rate.pays not in ("fixed", "payout_pct") or component.accumulate == "transaction":
        return None  # documents are as many as are sold
    if (rate.band_rule == "marginal" and rate.pays != "fixed") or rate.outside == "hold":
        return None
    values = [point.value for point in rate.points] or [band.value for band in rate.all_bands]
    if rate.band_rule == "interpolated":
        if rate.outside == "edge":
            return None
        values = [sum((max(value, Decimal(0)) for value in values), Decimal(0))]
    elif rate.band_rule == "marginal":
        values = [sum(values[:number], Decimal(0)) for number in range(1, len(values) + 1)]
    most = max([*values, Decimal(0)])
    return most * component.weight_pct / (HUNDRED * HUNDRED) if rate.pays == "payout_pct" else most


def _reach(component: Component, unit: str) -> Decimal | None:
    """The most that a component comes to before its own cap; ``unit`` is what its tables pay."""
    total = Decimal(0)
    tables: list[tuple[Rate, PayLimits]] = [(rule.rate, rule.limits) for rule in component.rate_rules]
    for rate, limits in tables:
        most = _most(rate, component) if rate.pays == unit else None
        caps = [limits.cap if unit == "fixed" else limits.cap_pct and limits.cap_pct / HUNDRED]
        known = [value for value in (most, *caps) if value is not None]
        if not known:
            return None
        total += min(known)
    for gate in component.gates:
        if gate.then.rate is not None:
            return None
        total *= max(gate.then.factor or Decimal(1), Decimal(1))
    if component.modifier is not None:
        total *= max(point.factor for point in component.modifier.curve)
    return total


def _caps(at: Location, component: Component) -> Iterator[Fault]:
    mend = "lower it, or leave it out"
    for number, rule in enumerate(component.rules):
        most = _most(rule.rate, component)
        cap = _cap(rule.limits, rule.rate.pays)
        if most is not None and cap is not None and most < cap:
            yield Fault((*at, "rules", number, "limits"), _unreachable(rule.rate.pays, most, cap), mend)
    for unit in ("fixed", "payout_pct"):
        most, cap = _reach(component, unit), _cap(component.limits, unit)
        if most is not None and cap is not None and most < cap:
            yield Fault((*at, "limits"), _unreachable(unit, most, cap), mend)


def _cap(limits: PayLimits, pays: str) -> Decimal | None:
    """The cap in the unit of what is paid: an amount, or a fraction of the target pay."""
    if pays == "payout_pct":
        return None if limits.cap_pct is None else limits.cap_pct / HUNDRED
    return limits.cap


def _unreachable(pays: str, most: Decimal, cap: Decimal) -> str:
    if pays == "payout_pct":
        cap, most = cap * HUNDRED, most * HUNDRED
        return f"the cap of {plain(cap)} % of target pay can never be reached: the most is {plain(most)} %"
    return f"the cap of {plain(cap)} can never be reached: the most is {plain(most)}"


def _statement_cap(plan: Plan) -> Iterator[Fault]:
    """A cap of the statement above all that its components can come to."""
    if plan.limits.cap is None or plan.spiffs or plan.draws:
        return
    total = Decimal(0)
    for component in plan.components:
        known = [value for value in (_reach(component, "fixed"), component.limits.cap) if value is not None]
        if not known:
            return
        total += min(known)
    if total < plan.limits.cap:
        yield Fault(("limits", "cap"), _unreachable("fixed", total, plan.limits.cap), "lower it, or leave it out")


def _weights(plan: Plan) -> Iterator[Fault]:
    """Weights of the components that pay target pay, where they are not all of it."""
    weighed = [
        component
        for component in plan.components
        if any(rule.rate.pays in _OF_TARGET_PAY for rule in component.rate_rules)
    ]
    total = sum((component.weight_pct for component in weighed), Decimal(0))
    if weighed and total != HUNDRED:
        yield Fault(
            ("components",),
            f"the components that pay target pay weigh {plain(total)} % of it together, not 100",
            "change weight_pct until they sum to 100",
        )
