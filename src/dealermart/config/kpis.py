"""The registry of KPIs (``config/kpis.yml``): what each one is called and how it is counted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from dealermart.config.contracts import Name
from dealermart.config.yamlfile import Fault, Strict, repeated

Text = Annotated[str, Field(min_length=2)]


class Kpi(Strict):
    """One KPI. Shares are kept as fractions (0.85), amounts in the reporting currency."""

    code: Name
    name: Text
    name_zh: Text
    unit: Literal["currency", "share", "score", "count", "days", "hours"]
    direction: Literal["higher", "lower", "none"]
    formula: Text
    numerator: Text
    denominator: Text | None = None
    population: Text
    min_sample: Annotated[int, Field(ge=1)] = 1
    version: Annotated[int, Field(ge=1)] = 1


class Registry(Strict):
    """All KPIs."""

    kpis: Annotated[tuple[Kpi, ...], Field(min_length=1)]

    @property
    def by_code(self) -> dict[str, Kpi]:
        return {kpi.code: kpi for kpi in self.kpis}

    def faults(self) -> Iterator[Fault]:
        """What no single field shows."""
        yield from repeated((kpi.code for kpi in self.kpis), ("kpis",), "code", "KPI code")
        for index, kpi in enumerate(self.kpis):
            if kpi.unit == "share" and kpi.denominator is None:
                yield Fault(
                    ("kpis", index), f"{kpi.code} is a share without a denominator", "say what it is a share of"
                )
