"""The scorecard of dealers (``config/scorecard.yml``): which tier figures speak for, and which are a warning."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated

from pydantic import Field

from dealermart.config.contracts import Name
from dealermart.config.kpis import Kpi
from dealermart.config.yamlfile import Fault, Strict, repeated

Bound = Annotated[Decimal, Field(max_digits=18, decimal_places=6)]


class Condition(Strict):
    """What a dealer's quarter must show for a tier: exactly one bound, itself included."""

    kpi: Name
    at_least: Bound | None = None
    at_most: Bound | None = None


class Tier(Strict):
    """A tier as the feed of dealers names it; without conditions it is open to all."""

    tier: Annotated[str, Field(min_length=1)]
    conditions: tuple[Condition, ...]


class Sign(Strict):
    """A figure that somebody should look at: exactly one bound, itself not included."""

    code: Name
    kpi: Name
    below: Bound | None = None
    above: Bound | None = None
    name: Annotated[str, Field(min_length=1)]
    name_zh: Annotated[str, Field(min_length=1)]


class Scorecard(Strict):
    """All rules of the scorecard, the best tier first."""

    tiers: tuple[Tier, ...] = ()
    warnings: tuple[Sign, ...] = ()

    def faults(self, kpis: dict[str, Kpi]) -> Iterator[Fault]:
        """What no single field shows, in view of the registry of KPIs."""
        yield from repeated((tier.tier for tier in self.tiers), ("tiers",), "tier", "tier")
        yield from repeated((warning.code for warning in self.warnings), ("warnings",), "code", "warning code")
        for number, tier in enumerate(self.tiers):
            for index, condition in enumerate(tier.conditions):
                at = ("tiers", number, "conditions", index)
                yield from _known(at, condition.kpi, kpis)
                yield from _one_bound(at, (condition.at_least, condition.at_most), "at_least or at_most")
            if not tier.conditions and number < len(self.tiers) - 1:
                yield Fault(
                    ("tiers", number),
                    f"tier {tier.tier} has no conditions, so the tiers after it are never proposed",
                    "give it conditions, or put it last",
                )
        for index, warning in enumerate(self.warnings):
            yield from _known(("warnings", index), warning.kpi, kpis)
            yield from _one_bound(("warnings", index), (warning.below, warning.above), "below or above")


def _known(at: tuple[str | int, ...], code: str, kpis: dict[str, Kpi]) -> Iterator[Fault]:
    kpi = kpis.get(code)
    if kpi is None:
        yield Fault((*at, "kpi"), f"{code!r} is no KPI", f"use a code of kpis.yml: {', '.join(sorted(kpis))}")
    elif "dealer" not in kpi.subjects or kpi.audience != "bi":
        yield Fault((*at, "kpi"), f"{code} is not stated of dealers for BI", "use a KPI that is")


def _one_bound(at: tuple[str | int, ...], bounds: tuple[Decimal | None, ...], names: str) -> Iterator[Fault]:
    if sum(bound is not None for bound in bounds) != 1:
        yield Fault(at, "one bound is wanted", f"write either {names}")
