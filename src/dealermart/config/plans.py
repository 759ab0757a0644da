"""Incentive plans (``config/plans/*.yml``): what a payee earns for what, as data.

A file holds one version of one plan; versions of a plan have windows that do not overlap. What a file leaves out has
the default that stands in the models; ``dealermart plan show`` prints it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import Field

from dealermart.config.company import AMOUNT_DECIMALS, minor_digits
from dealermart.config.contracts import Name
from dealermart.config.kpis import Kpi
from dealermart.config.plan_component import Component, PayLimits, RateType, Text
from dealermart.config.plan_pay import Draw, Leaver, Proposal, Spiff, TargetPay
from dealermart.config.yamlfile import Fault, Strict, repeated


class Plan(Strict):
    """One version of one plan.

    Attributes:
        version: Raised with every change of what is paid.
        payee: Who is paid; dealers for rebates.
        currency: A code, or ``payee``: each payee in the currency of the assignment, the reporting currency where that
            says none.
        rate_type: Exchange rates by which documents are converted.
        period: How long a statement is.
        valid_from: First day on which the version holds; left out: from the beginning.
        valid_to: First day on which it no longer holds; empty: open.
        target_pay: Only needed where something is a part of it.
        late_facts: What is learnt about a closed period is paid by adjustment lines by cause in the open period, or the
            next period is reckoned with it as if it were its own.
        year_to_date_less_paid: Components that accumulate over the year pay the year so far less what was paid.
        leaver: Without it who leaves is paid what was earned.
        limits: Of the whole statement.
    """

    plan: Name
    version: Annotated[int, Field(ge=1)] = 1
    name: Text | None = None
    name_zh: Text | None = None
    payee: Literal["member", "dealer"] = "member"
    currency: Annotated[str, Field(pattern=r"^([A-Z]{3}|payee)$")] = "payee"
    rate_type: RateType = "plan"
    period: Literal["month", "quarter", "year"]
    valid_from: date | None = None
    valid_to: date | None = None
    target_pay: TargetPay | None = None
    components: Annotated[tuple[Component, ...], Field(min_length=1)]
    spiffs: tuple[Spiff, ...] = ()
    draws: Annotated[tuple[Draw, ...], Field(max_length=5)] = ()
    late_facts: Literal["adjust", "corrective"] = "adjust"
    year_to_date_less_paid: bool = False
    leaver: Leaver | None = None
    limits: PayLimits = PayLimits()
    proposals: tuple[Proposal, ...] = ()

    @property
    def by_id(self) -> dict[str, Component]:
        """Component id -> component."""
        return {component.id: component for component in self.components}

    def faults(self, kpis: dict[str, Kpi]) -> Iterator[Fault]:
        """What no single field shows, in view of the registry of KPIs."""
        if self.currency != "payee" and minor_digits(self.currency) > AMOUNT_DECIMALS:
            yield Fault(
                ("currency",),
                f"{self.currency} has {minor_digits(self.currency)} decimals, and amounts of statements have two",
                "pay in a currency with at most two decimals",
            )
        if self.valid_to is not None and self.valid_from is not None and self.valid_to <= self.valid_from:
            yield Fault(
                ("valid_to",),
                f"the plan ends ({self.valid_to}) before it begins ({self.valid_from})",
                "valid_to is the first day on which the plan no longer holds; leave it empty while it is open",
            )
        paid = self.target_pay is not None
        if self.target_pay is not None:
            yield from self.target_pay.faults_at(("target_pay",))
        yield from self._id_faults()
        for index, component in enumerate(self.components):
            yield from component.faults_at(("components", index), self.payee, self.period, paid, kpis)
        yield from self._gate_faults()
        for index, spiff in enumerate(self.spiffs):
            yield from spiff.faults_at(("spiffs", index), self.by_id, paid)
        for index, draw in enumerate(self.draws):
            yield from draw.faults_at(("draws", index), paid)
        yield from self.limits.faults_at(("limits",), paid)
        for index, proposal in enumerate(self.proposals):
            yield from proposal.faults_at(("proposals", index), self.by_id)
        if self.year_to_date_less_paid and not any(
            component.accumulate == "year_to_date" for component in self.components
        ):
            yield Fault(
                ("year_to_date_less_paid",),
                "no component accumulates over the year",
                "add accumulate: year_to_date to a component, or leave it out",
            )

    def _id_faults(self) -> Iterator[Fault]:
        yield from repeated((component.id for component in self.components), ("components",), "id", "component id")
        yield from repeated((spiff.id for spiff in self.spiffs), ("spiffs",), "id", "spiff id")
        for index, spiff in enumerate(self.spiffs):
            if spiff.id in self.by_id:
                yield Fault(("spiffs", index, "id"), f"{spiff.id!r} is a component", "give the spiff an id of its own")

    def _gate_faults(self) -> Iterator[Fault]:
        """Gates on components that are not there or have no attainment."""
        for index, component in enumerate(self.components):
            for number, gate in enumerate(component.gates):
                for place, part in enumerate(gate.weighted):
                    here = ("components", index, "gates", number, "weighted", place, "component")
                    found = self.by_id.get(part.component)
                    if found is None:
                        known = ", ".join(self.by_id)
                        yield Fault(here, f"{part.component!r} is no component", f"one of: {known}")
                    elif found.target is None:
                        yield Fault(here, f"{part.component} has no target, so no attainment", "add a target to it")


def version_faults(plan: Plan, others: Iterable[tuple[str, Plan]]) -> Iterator[Fault]:
    """Versions of one plan, given with their files, that stand twice or hold on one day."""
    for file, other in others:
        if other.plan != plan.plan:
            continue
        if other.version == plan.version:
            yield Fault(
                ("version",),
                f"version {plan.version} of {plan.plan} is {file}",
                "give each version a number of its own",
            )
            continue
        ends_after = plan.valid_to is None or (other.valid_from or date.min) < plan.valid_to
        starts_before = other.valid_to is None or (plan.valid_from or date.min) < other.valid_to
        if ends_after and starts_before:
            yield Fault(
                ("valid_from",),
                f"version {plan.version} holds at the same time as version {other.version} of {plan.plan}, {file} "
                f"({other.valid_from or 'the beginning'} to {other.valid_to or 'open'})",
                "end the older version with valid_to where the newer one begins",
            )


def plan_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of a plan file, for editors that complete and check while a plan is written.

    It knows fields and their values; what several fields have to do with each other only `dealermart plan lint` knows.
    """
    schema = Plan.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
