"""What a component of a plan counts and against what: measure, trigger, target."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from dealermart.config.contracts import Name
from dealermart.config.kpis import Kpi
from dealermart.config.plan_filter import Bound
from dealermart.config.yamlfile import Fault, Location, Strict

Subject = Literal["self", "team", "region", "company"]

Measured = Literal["net_revenue", "gross_revenue", "gross_margin", "units", "deals", "collected_amount"]

Prorate = Literal["calendar_days", "working_days", "months", "equal", "none"]

HUNDRED = Decimal(100)

_COUNTS = ("units", "deals")

QUARTERS = tuple(f"Q{number}" for number in range(1, 5))

MONTHS = tuple(f"M{number:02d}" for number in range(1, 13))


def kpi_faults(kpis: dict[str, Kpi], code: str, subject: str, payee: str, at: Location) -> Iterator[Fault]:
    """A KPI that does not exist, or is not stated for this subject."""
    yield from subject_faults(subject, payee, at)
    kpi = kpis.get(code)
    if kpi is None:
        yield Fault((*at, "kpi"), f"{code!r} is no KPI", f"use a code of kpis.yml: {', '.join(sorted(kpis))}")
    elif (wanted := payee if subject == "self" else subject) not in kpi.subjects:
        yield Fault((*at, "kpi"), f"{code} is not stated for a {wanted}", f"it is for {', '.join(kpi.subjects)}")


def subject_faults(subject: str, payee: str, at: Location) -> Iterator[Fault]:
    """A subject that payees of this kind do not have."""
    if subject == "dealer" and payee != "dealer":
        yield Fault(
            (*at, "subject"),
            f"a {payee} is not paid by the target of a dealer",
            "write self, team or region; or pay dealers with payee: dealer",
        )
    if subject == "team" and payee == "dealer":
        yield Fault((*at, "subject"), "a dealer has no team", "write self or region")


class Measure(Strict):
    """What is counted: something of sales, or a KPI.

    Attributes:
        of: ``net_revenue`` and ``gross_revenue`` (net amount plus discount), ``gross_margin`` (net revenue less cost),
            ``units``, ``deals`` (documents, by share of credit), ``collected_amount`` (payments spread over the lines).
        floor: 0: of ``gross_margin``, a line sold below cost counts as 0, and so does its return.
        kpi: A code of kpis.yml instead; its value of the period.
        subject: Whose value of the KPI.
    """

    of: Measured | None = None
    floor: Literal[0] | None = None
    kpi: Name | None = None
    subject: Subject = "self"

    @property
    def code(self) -> str:
        """What is measured, in a word; ``kpi`` for every KPI."""
        return self.of or "kpi"

    def unit(self, kpis: dict[str, Kpi]) -> str:
        """The unit of the measure: ``currency``, ``count``, or what the KPI says."""
        if self.kpi is not None:
            return kpis[self.kpi].unit if self.kpi in kpis else "currency"
        return "count" if self.of in _COUNTS else "currency"

    def faults_at(self, at: Location, payee: str, kpis: dict[str, Kpi]) -> Iterator[Fault]:
        """Fields that do not go together."""
        if (self.of is None) == (self.kpi is None):
            what = "nothing says what is measured" if self.of is None else "of and kpi are both given"
            yield Fault(at, what, "write {of: net_revenue}, or {kpi: csat_pct}")
        if self.kpi is None and "subject" in self.model_fields_set:
            yield Fault((*at, "subject"), "subject goes with a KPI", "leave it out; credit says whose sales count")
        if self.floor is not None and self.of != "gross_margin":
            yield Fault((*at, "floor"), "only gross_margin has a floor", "leave it out")
        if self.kpi is not None:
            yield from kpi_faults(kpis, self.kpi, self.subject, payee, at)


class Share(Strict):
    """The part of the pay that becomes due on one occasion."""

    on: Literal["invoiced", "collected"]
    pct: Annotated[Decimal, Field(gt=0, le=100, decimal_places=4)]


class Trigger(Strict):
    """On what occasions a sale is paid; the shares sum to 100."""

    shares: Annotated[tuple[Share, ...], Field(min_length=1)]

    def pct(self, on: str) -> Decimal:
        """Percent that becomes due on this occasion."""
        return sum((share.pct for share in self.shares if share.on == on), Decimal(0))

    def faults_at(self, at: Location) -> Iterator[Fault]:
        """Shares that leave something out or pay it twice."""
        total = sum((share.pct for share in self.shares), Decimal(0))
        if total != HUNDRED:
            yield Fault((*at, "shares"), f"the shares add up to {total}, not to 100", "change pct until they do")
        if len({share.on for share in self.shares}) < len(self.shares):
            yield Fault((*at, "shares"), "an occasion stands twice", "give each once")


def _spelt_out(given: Any) -> Any:
    """``invoiced`` and ``collected`` are short for one share of 100."""
    if isinstance(given, str):
        if given not in ("invoiced", "collected"):
            raise ValueError(f"{given!r} is none of invoiced, collected; or write shares")
        return {"shares": [{"on": given, "pct": 100}]}
    return given


AnyTrigger = Annotated[
    Trigger, BeforeValidator(_spelt_out, json_schema_input_type=Literal["invoiced", "collected"] | Trigger)
]


class Target(Strict):
    """Against what attainment is measured.

    Attributes:
        metric: The payee's rows of the feed ``targets`` of this KPI code, those inside the period summed.
        value: Instead a target that the plan itself states, of one whole period; with ``season`` of the fiscal year.
        of_last_year: Instead the same measure of the payee in the same period a year before.
        factor: What the value of last year is multiplied by.
        subject: Whose rows of ``targets``; what is set against them is the payee's own credit. ``dealer`` is a dealer
            that is paid, the same as ``self``.
        product_category: The category to which the rows of ``targets`` are limited; without it that of the
            component's filter, if that names exactly one, else rows that are limited to none.
        prorate: By what a part of the period counts, in which the payee has the plan; the whole period is the
            denominator, and leave is taken off days. ``months``: months on whose last day the payee has the plan;
            ``equal``: where versions of the plan change within the period each has an equal part; ``none``: the target
            always counts in full.
        ramp: Factors of the payee's first periods with the plan; later ones count in full.
        season: Weights by which the target of a fiscal year is divided among its quarters (Q1..Q4) or months
            (M01..M12), fiscal ones; the sum of the weights is the denominator. The months of a quarter share its weight
            in equal parts.
    """

    metric: Name | None = None
    value: Annotated[Decimal, Field(gt=0, max_digits=26, decimal_places=6)] | None = None
    of_last_year: Literal["last_year"] | None = Field(default=None, alias="from")
    factor: Annotated[Decimal, Field(gt=0, max_digits=18, decimal_places=6)] | None = None
    product_category: Annotated[str, Field(min_length=1)] | None = None
    subject: Literal["self", "team", "region", "dealer"] = "self"
    prorate: Prorate = "calendar_days"
    ramp: tuple[Annotated[Bound, Field(ge=0)], ...] = ()
    season: dict[str, Annotated[Bound, Field(ge=0)]] | None = None

    @property
    def kind(self) -> Literal["metric", "value", "last_year"]:
        """Where the target comes from."""
        return "metric" if self.metric is not None else "value" if self.value is not None else "last_year"

    def faults_at(
        self, at: Location, measure: Measure, payee: str, period: str, kpis: dict[str, Kpi]
    ) -> Iterator[Fault]:
        """Fields that do not go together, and a metric that cannot measure what is counted."""
        given = [name for name in ("metric", "value", "of_last_year") if getattr(self, name) is not None]
        if len(given) != 1:
            what = "nothing says where the target comes from" if not given else f"{' and '.join(given)} are given"
            yield Fault(at, what, "write one of metric: net_revenue, value: 10000, from: last_year")
        if self.factor is not None and self.of_last_year is None:
            yield Fault((*at, "factor"), "factor goes with from: last_year", "leave it out")
        yield from subject_faults(self.subject, payee, at)
        if self.subject != "self" and self.metric is None:
            yield Fault(
                (*at, "subject"),
                f"only targets of the feed are those of a {self.subject}",
                "leave subject out, or write metric in place of " + ("value" if self.value is not None else "from"),
            )
        if self.product_category is not None and self.metric is None:
            yield Fault((*at, "product_category"), "only targets of the feed have a category", "leave it out")
        if self.metric is not None:
            yield from self._metric_faults((*at, "metric"), measure, kpis)
        if self.season is not None:
            yield from self._season_faults((*at, "season"), period)

    def _metric_faults(self, at: Location, measure: Measure, kpis: dict[str, Kpi]) -> Iterator[Fault]:
        kpi = kpis.get(self.metric or "")
        if kpi is None:
            yield Fault(at, f"{self.metric!r} is no KPI", f"use a code of kpis.yml: {', '.join(sorted(kpis))}")
            return
        counted = measure.kpi or measure.code
        other = counted in kpis and self.metric != counted
        if other or kpi.unit != measure.unit(kpis):
            same = counted if counted in kpis else f"a KPI whose unit is {measure.unit(kpis)}"
            yield Fault(
                at,
                f"attainment of {counted} cannot be measured against a target for {self.metric}",
                f"use {same}",
            )

    def _season_faults(self, at: Location, period: str) -> Iterator[Fault]:
        keys = set(self.season or {})
        if keys != set(QUARTERS) and keys != set(MONTHS):
            yield Fault(at, "the season is neither four quarters nor twelve months", "give Q1 to Q4, or M01 to M12")
        elif not any((self.season or {}).values()):
            yield Fault(at, "all weights are zero", "give at least one above zero")
        elif period == "year":
            yield Fault(
                at, "a period of a year has no season within it", "leave season out, or pay by quarter or month"
            )
