"""The registry of KPIs (``config/kpis.yml``): what each one is called and how it is counted.

A KPI over measures that exist is an entry here and nothing else: its kind says how the measures make a value. The
measures are columns of events that the models ``int_measure__<events>`` make long; a test holds these against it.
"""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Annotated, Literal

from pydantic import Field

from dealermart.base import REPO
from dealermart.config.contracts import Name
from dealermart.config.yamlfile import Fault, Strict, repeated

Text = Annotated[str, Field(min_length=2)]

_MODELS = REPO / "dbt_project" / "models" / "intermediate"
# Gathers what the models make; not one of them.
_GATHERED = "value"

# What a kind needs of a KPI's measures, besides the numerator.
_NEEDS: dict[str, tuple[str, ...]] = {
    "sum": (),
    "mean": (),
    "median": (),
    "distinct": (),
    "ratio": ("denominator_measure",),
    "distinct_share": ("denominator_measure",),
    "net_promoter": ("minus_measure", "denominator_measure"),
}

_INTERVALS: dict[str, tuple[str | None, ...]] = {
    "model": (None, "wilson"),
    "sum": (None,),
    "mean": (None, "normal", "cluster"),
    "median": (None,),
    "distinct": (None,),
    "ratio": (None, "wilson", "cluster"),
    "distinct_share": (None, "wilson"),
    "net_promoter": (None, "nps"),
}

SubjectType = Literal["member", "dealer", "team", "region", "company", "category"]


class Measure(Strict):
    """A number that events of one kind carry, summed to subjects and months."""

    code: Name
    events: Name  # the model int_measure__<events> makes it
    description: Text
    taken: Literal["sum", "month_end"] = "sum"
    """Summed over the months of a period; or stated at the end of each month, then a period has that of its last."""
    unknown: Literal["undefined", "no_rate"] = "undefined"
    """The status of a value that lacks some of it."""
    unowned: Literal["left_out", "unassigned"] = "left_out"
    """Where what has no member, team, region or category goes: nowhere, or to the subject ``unassigned``, so that all
    of these add up to the company."""


class Kpi(Strict):
    """One KPI. Shares are kept as fractions (0.85), amounts in the reporting currency.

    Attributes:
        kind: How it comes about: ``model`` is SQL of its own, the model ``int_kpi__<model>``; the others are made of
            measures. ``sum`` is the numerator, ``mean`` and ``median`` are taken of its events, ``ratio`` is numerator
            by denominator, ``distinct`` the number of different things among its events and ``distinct_share`` that of
            the numerator by that of the denominator, ``net_promoter`` the numerator less ``minus_measure`` by the
            denominator, in points.
        factor: By what the value is multiplied, such as 100 for so many per hundred.
        interval: How its 95 % interval is taken; ``cluster`` where amounts are weighed or answers hang together by
            dealer: the variance of a ratio of sums by dealer.
        expected_measure: What there must be some of before a value can be expected; by default the denominator.
        empty: Why there is no value where there is none of it, in words.
        unanswered: What the expected ones lack where nothing is counted of them, in words behind their number.
        absence: Whether everybody of the population has a row that says so, or the company alone.
        without_events: Whether who is told of none has no value, or 0 where the company has any in the period.
        subjects: For whom it is stated.
        formula_zh, population_zh: In Chinese; without them Chinese readers see the English.
        audience: Who may read it; HR reads everything.
        hr_subjects: Subjects whose values HR alone may read, whoever reads those of the others.
        suppress: Whose groups of fewer than ``min_group_size`` are too small for BI to see: people whom it is about, or
            respondents who answered.
    """

    code: Name
    name: Text
    name_zh: Text
    unit: Literal["currency", "share", "score", "count", "days", "hours", "months", "points", "index", "ratio"]
    direction: Literal["higher", "lower", "none"]
    formula: Text
    formula_zh: Text | None = None
    numerator: Text
    denominator: Text | None = None
    population: Text
    population_zh: Text | None = None
    min_sample: Annotated[int, Field(ge=1)] = 1
    version: Annotated[int, Field(ge=1)] = 1
    kind: Literal["model", "sum", "mean", "median", "ratio", "distinct", "distinct_share", "net_promoter"]
    model: Name | None = None
    numerator_measure: Name | None = None
    minus_measure: Name | None = None
    denominator_measure: Name | None = None
    expected_measure: Name | None = None
    factor: Annotated[int, Field(ge=1)] = 1
    interval: Literal["wilson", "normal", "nps", "cluster"] | None = None
    empty: Text | None = None
    unanswered: Text | None = None
    absence: Literal["everybody", "company"] = "company"
    without_events: Literal["none", "zero"] = "none"
    subjects: Annotated[tuple[SubjectType, ...], Field(min_length=1)] = (
        "member",
        "dealer",
        "team",
        "region",
        "company",
    )
    audience: Literal["bi", "hr"]
    hr_subjects: tuple[SubjectType, ...] = ()
    suppress: Literal["none", "people", "respondents"] = "none"

    @property
    def measures(self) -> dict[str, str]:
        """The measures that it names, by field."""
        named = ("numerator_measure", "minus_measure", "denominator_measure", "expected_measure")
        return {field: code for field in named if (code := getattr(self, field)) is not None}

    def faults(self, measures: dict[str, Measure]) -> Iterator[tuple[str, str, str]]:
        """What is wrong with its kind and measures: field, fault, mend."""
        made = self.kind != "model"
        needed = ("numerator_measure", *_NEEDS[self.kind], "empty") if made else ("model",)
        for field in needed:
            if getattr(self, field) is None:
                yield "kind", f"{self.code} is of kind {self.kind} and has no {field}", f"add {field}"
        if made and self.model is not None:
            yield "model", f"kind {self.kind} of {self.code} is made of measures", "leave model out, or correct kind"
        if not made and self.model is not None and (lack := _lacks("kpi", self.model, self.code)):
            yield (
                "model",
                f"{self.code} would have no figure: {lack}",
                "name the model that makes it, or write it there",
            )
        allowed = {*needed, *(("expected_measure",) if made else ())}
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
        if self.without_events == "zero" and (self.absence == "company" or self.kind not in ("sum", "distinct")):
            yield (
                "without_events",
                f"nobody would have the 0 of {self.code}: it is for sums and numbers of which everybody has a row",
                "add absence: everybody, or leave without_events out",
            )
        if unstated := set(self.hr_subjects) - set(self.subjects):
            yield "hr_subjects", f"{self.code} is not stated for {', '.join(sorted(unstated))}", "correct hr_subjects"
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
        for index, measure in enumerate(self.measures):
            if lack := _lacks("measure", measure.events, measure.code):
                mend = "name the model that makes it, or write it there"
                yield Fault(("measures", index, "events"), f"{measure.code} would have no figure: {lack}", mend)
        for index, kpi in enumerate(self.kpis):
            if kpi.unit == "share" and kpi.denominator is None:
                yield Fault(
                    ("kpis", index), f"{kpi.code} is a share without a denominator", "say what it is a share of"
                )
            for field, what, mend in kpi.faults(measures):
                yield Fault(("kpis", index, field), what, mend)


def _lacks(folder: str, name: str, code: str) -> str | None:
    """What a model of this name lacks to make ``code``, which it writes between quotes; None if it does."""
    sql = _MODELS / folder / f"int_{folder}__{name}.sql"
    if name == _GATHERED or not sql.exists():
        known = sorted(path.stem.removeprefix(f"int_{folder}__") for path in sql.parent.glob(f"int_{folder}__*.sql"))
        near = get_close_matches(name, known, 3, 0.4)
        return f"there is no model int_{folder}__{name}" + (f" (near: {', '.join(near)})" if near else "")
    return None if f"'{code}'" in sql.read_text("utf-8") else f"int_{folder}__{name} does not make it"
