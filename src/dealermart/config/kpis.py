"""The registry of KPIs (``config/kpis.yml``): what each one is called and how it is counted.

A KPI over measures that exist is an entry here and nothing else: its kind says how the measures make a value. The
measures are columns of events that the models ``int_measure__<events>`` make long; a test holds these against it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from dealermart.config.contracts import Name
from dealermart.config.yamlfile import Fault, Strict, repeated

Text = Annotated[str, Field(min_length=2)]

# What a kind needs of a KPI's measures, besides the numerator.
_NEEDS: dict[str, tuple[str, ...]] = {
    "model": (),
    "sum": (),
    "mean": (),
    "ratio": ("denominator_measure",),
    "net_promoter": ("minus_measure", "denominator_measure"),
}

_INTERVALS: dict[str, tuple[str | None, ...]] = {
    "model": (None,),
    "sum": (None,),
    "mean": (None, "normal"),
    "ratio": (None, "wilson"),
    "net_promoter": (None, "nps"),
}


class Measure(Strict):
    """A number that events of one kind carry, summed to subjects and months."""

    code: Name
    events: Name  # the model int_measure__<events> makes it
    description: Text


class Kpi(Strict):
    """One KPI. Shares are kept as fractions (0.85), amounts in the reporting currency.

    Attributes:
        kind: How it comes about: ``model`` is SQL of its own; the others are made of measures. ``ratio`` is numerator
            by denominator, ``mean`` the numerator by the number of its events, ``net_promoter`` the numerator less
            ``minus_measure`` by the denominator, in points.
        interval: How its 95 % interval is taken.
        expected_measure: What there must be some of before a value can be expected; by default the denominator.
        empty: Why there is no value where there is none of it, in words.
        unanswered: What the expected ones lack where nothing is counted of them, in words behind their number.
        absence: Whether everybody of the population has a row that says so, or the company alone.
    """

    code: Name
    name: Text
    name_zh: Text
    unit: Literal["currency", "share", "score", "count", "days", "hours", "points"]
    direction: Literal["higher", "lower", "none"]
    formula: Text
    numerator: Text
    denominator: Text | None = None
    population: Text
    min_sample: Annotated[int, Field(ge=1)] = 1
    version: Annotated[int, Field(ge=1)] = 1
    kind: Literal["model", "sum", "mean", "ratio", "net_promoter"] = "model"
    numerator_measure: Name | None = None
    minus_measure: Name | None = None
    denominator_measure: Name | None = None
    expected_measure: Name | None = None
    interval: Literal["wilson", "normal", "nps"] | None = None
    empty: Text | None = None
    unanswered: Text | None = None
    absence: Literal["everybody", "company"] = "company"

    @property
    def measures(self) -> dict[str, str]:
        """The measures that it names, by field."""
        named = ("numerator_measure", "minus_measure", "denominator_measure", "expected_measure")
        return {field: code for field in named if (code := getattr(self, field)) is not None}

    def faults(self, measures: dict[str, Measure]) -> Iterator[tuple[str, str, str]]:
        """What is wrong with its kind and measures: field, fault, mend."""
        needed = () if self.kind == "model" else ("numerator_measure", *_NEEDS[self.kind], "empty")
        for field in needed:
            if getattr(self, field) is None:
                yield "kind", f"{self.code} is of kind {self.kind} and has no {field}", f"add {field}"
        allowed = {*needed, *(("expected_measure",) if needed else ())}
        for field, code in self.measures.items():
            if field not in allowed:
                yield (
                    field,
                    f"kind {self.kind} of {self.code} has no {field}",
                    "leave it out, or correct kind",
                )
            elif code not in measures:
                known = ", ".join(sorted(measures)) or "none yet"
                yield field, f"{self.code} names the measure {code!r}, which nothing makes", f"one of: {known}"
        if self.interval not in _INTERVALS[self.kind]:
            fitting = " or ".join(name for name in _INTERVALS[self.kind] if name) or "none"
            yield (
                "interval",
                f"kind {self.kind} of {self.code} has no {self.interval} interval",
                f"use {fitting}",
            )


class Registry(Strict):
    """All KPIs, and the measures that they are made of."""

    kpis: Annotated[tuple[Kpi, ...], Field(min_length=1)]
    measures: tuple[Measure, ...] = ()

    @property
    def by_code(self) -> dict[str, Kpi]:
        return {kpi.code: kpi for kpi in self.kpis}

    def faults(self) -> Iterator[Fault]:
        """What no single field shows."""
        yield from repeated((kpi.code for kpi in self.kpis), ("kpis",), "code", "KPI code")
        yield from repeated((measure.code for measure in self.measures), ("measures",), "code", "measure code")
        measures = {measure.code: measure for measure in self.measures}
        for index, kpi in enumerate(self.kpis):
            if kpi.unit == "share" and kpi.denominator is None:
                yield Fault(
                    ("kpis", index), f"{kpi.code} is a share without a denominator", "say what it is a share of"
                )
            for field, what, mend in kpi.faults(measures):
                yield Fault(("kpis", index, field), what, mend)
