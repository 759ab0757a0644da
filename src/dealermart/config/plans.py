"""Incentive plans (``config/plans/*.yml``): what a payee earns for what, as data.

A plan's bands are compiled into regions that cover every attainment from minus to plus infinity exactly once, so that
the SQL has no special case for gaps, open ends and negative totals.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Annotated, Literal, NamedTuple

from pydantic import Field

from dealermart.config.company import CurrencyCode
from dealermart.config.contracts import Name
from dealermart.config.kpis import Kpi
from dealermart.config.yamlfile import Fault, Location, Strict, repeated

Outside = Literal["zero", "edge", "hold"]

Bound = Annotated[Decimal, Field(max_digits=18, decimal_places=6)]


class Band(Strict):
    """One band: from ``lower`` (inclusive; empty: no lower end) to ``upper`` (exclusive; empty: open)."""

    lower: Bound | None = Field(default=None, alias="from")
    upper: Bound | None = Field(default=None, alias="to")
    rate_pct: Annotated[Decimal, Field(ge=-100, le=100, decimal_places=4)]


class Region(NamedTuple):
    """A stretch of attainment that one rule pays.

    ``rate`` is a fraction (0.015), None where the line waits for a person. ``outside`` names the plan's rule where the
    stretch lies in no band of the plan.
    """

    lower: Decimal | None
    upper: Decimal | None
    rate: Decimal | None
    outside: Outside | None


class Component(Strict):
    """What all components have: what is measured, on what, against which target."""

    id: Name
    name: Annotated[str, Field(min_length=1)]
    name_zh: Annotated[str, Field(min_length=1)]
    trigger: Literal["invoiced"]
    measure: Name
    target: Name
    product_category: str | None = None


class Commission(Component):
    """A rate on the credited measure, by bands of attainment."""

    kind: Literal["commission"]
    band_basis: Literal["attainment"]
    band_rule: Literal["marginal"]
    outside: Outside | None = None
    bands: Annotated[tuple[Band, ...], Field(min_length=1)]

    def regions(self) -> list[Region]:
        """All stretches in ascending order; no gap, no overlap, unbounded at both ends."""
        rates = [band.rate_pct / 100 for band in self.bands]
        found = []
        if self.bands[0].lower is not None:
            found.append(self._beyond(None, self.bands[0].lower, rates[0]))
        for index, band in enumerate(self.bands):
            if index and band.lower != self.bands[index - 1].upper:
                found.append(self._beyond(self.bands[index - 1].upper, band.lower, rates[index - 1]))
            found.append(Region(band.lower, band.upper, rates[index], None))
        if self.bands[-1].upper is not None:
            found.append(self._beyond(self.bands[-1].upper, None, rates[-1]))
        return found

    def _beyond(self, lower: Decimal | None, upper: Decimal | None, edge_rate: Decimal) -> Region:
        outside = self.outside or "hold"
        rates: dict[Outside, Decimal | None] = {"zero": Decimal(0), "edge": edge_rate, "hold": None}
        return Region(lower, upper, rates[outside], outside)

    def faults_at(self, at: Location) -> Iterator[Fault]:
        """Gaps, overlaps, empty and unordered bands."""
        stated = "close it, or say what happens there with outside: zero, edge or hold"
        previous: Band | None = None
        for index, band in enumerate(self.bands):
            here = (*at, "bands", index)
            if band.lower is not None and band.upper is not None and band.lower >= band.upper:
                kind = "is empty" if band.lower == band.upper else "ends before it begins"
                yield Fault(
                    here, f"the band from {band.lower} to {band.upper} {kind}", "make its end larger than its start"
                )
            elif previous is not None and (previous.upper is None or band.lower is None):
                yield Fault(
                    here,
                    "only the first band may lack from, and only the last may lack to",
                    "give the bands in ascending order, each with from and to",
                )
            elif previous is not None and band.lower < previous.upper:  # type: ignore[operator]
                yield Fault(
                    here,
                    f"the band from {band.lower} overlaps the one before it, which ends at {previous.upper}",
                    "give the bands in ascending order, each beginning where the one before it ends",
                )
            elif previous is not None and band.lower != previous.upper and self.outside is None:
                yield Fault(here, f"there is a gap between {previous.upper} and {band.lower}", stated)
            previous = band
        if self.outside is None:
            if self.bands[0].lower is not None:
                yield Fault(
                    (*at, "bands", 0),
                    f"nothing says what happens below {self.bands[0].lower}; negative totals are normal",
                    "leave out its from, or say what happens there with outside: zero, edge or hold",
                )
            if self.bands[-1].upper is not None:
                yield Fault(
                    (*at, "bands", len(self.bands) - 1),
                    f"nothing says what happens from {self.bands[-1].upper} on",
                    "leave out its to, or say what happens there with outside: zero, edge or hold",
                )


class Bonus(Component):
    """A fixed amount when the period's attainment reaches a mark."""

    kind: Literal["bonus"]
    amount: Annotated[Decimal, Field(gt=0, max_digits=16, decimal_places=2)]
    min_attainment: Annotated[Decimal, Field(gt=0, max_digits=18, decimal_places=6)]

    def faults_at(self, at: Location) -> Iterator[Fault]:
        """A bonus has no fault beyond its fields'."""
        yield from ()


AnyComponent = Annotated[Commission | Bonus, Field(discriminator="kind")]


class Plan(Strict):
    """One plan. ``valid_to`` is exclusive; empty: open."""

    plan: Name
    version: Annotated[int, Field(ge=1)]
    name: Annotated[str, Field(min_length=1)]
    name_zh: Annotated[str, Field(min_length=1)]
    payee: Literal["member"]
    currency: CurrencyCode
    period: Literal["quarter"]
    valid_from: date
    valid_to: date | None = None
    components: Annotated[tuple[AnyComponent, ...], Field(min_length=1)]

    def faults(self, reporting_currency: str, kpis: dict[str, Kpi]) -> Iterator[Fault]:
        """What no single field shows, in view of the company's currency and the registry of KPIs."""
        if self.currency != reporting_currency:
            yield Fault(
                ("currency",),
                f"the plan pays in {self.currency} but the company reports in {reporting_currency}",
                f"write {reporting_currency}; credits are converted to it at the plan rate",
            )
        if self.valid_to is not None and self.valid_to <= self.valid_from:
            yield Fault(
                ("valid_to",),
                f"the plan ends ({self.valid_to}) before it begins ({self.valid_from})",
                "valid_to is the first day on which the plan no longer holds; leave it empty while it is open",
            )
        yield from repeated((component.id for component in self.components), ("components",), "id", "component id")
        for index, component in enumerate(self.components):
            at = ("components", index)
            unknown = False
            for field in ("measure", "target"):
                code = getattr(component, field)
                if code not in kpis:
                    unknown = True
                    yield Fault(
                        (*at, field), f"{code!r} is no KPI", f"use a code of kpis.yml: {', '.join(sorted(kpis))}"
                    )
            if not unknown and component.measure != "net_revenue":
                yield Fault((*at, "measure"), f"{component.measure} cannot be credited", "use net_revenue")
            elif not unknown and component.target != component.measure:
                yield Fault(
                    (*at, "target"),
                    f"attainment of {component.measure} cannot be measured against a target for {component.target}",
                    f"write target: {component.measure}",
                )
            yield from component.faults_at(at)
