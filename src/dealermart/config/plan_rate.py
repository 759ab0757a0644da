"""Rate tables of plans: on what a rate depends, by which rule its bands pay, and what they pay.

Six rules, and a plan names one. ``marginal``: each band pays on its own slice; with ``pays: fixed`` the amounts of all
bands reached are added. ``whole_base``: the band reached pays on everything. ``whole_overage``: the first band pays up
to its end, the band reached pays on all beyond it. ``interpolated``: each band adds its value, earned evenly inside it.
``curve``: points joined by straight lines. ``rate_from_start``: as ``marginal``, but a band with ``back_to_start`` pays
its value from 0 on.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise
from typing import Annotated, Literal, NamedTuple

from pydantic import Field

from dealermart.config.plan_filter import Bound
from dealermart.config.yamlfile import Fault, Location, Strict

Outside = Literal["zero", "edge", "hold"]

Basis = Literal["attainment", "amount", "units", "margin_pct", "discount_pct", "deal_amount", "none"]

Rule = Literal["marginal", "whole_base", "whole_overage", "interpolated", "curve", "rate_from_start"]

Pays = Literal["pct", "per_unit", "fixed", "multiplier", "payout_pct", "base_rate_factor"]

# Decimals that a value may have: percents become fractions of six decimals, and fixed amounts are money.
DECIMALS: dict[Pays, int] = {
    "pct": 4,
    "per_unit": 6,
    "fixed": 2,
    "multiplier": 6,
    "payout_pct": 4,
    "base_rate_factor": 6,
}

# Bases on which something is totalled, so that a slice of it is something.
TOTALS: tuple[Basis, ...] = ("attainment", "amount", "units")

# What fits where slices or totals are paid; on whole_base and curve everything fits.
_FITTING: dict[Rule, tuple[Pays, ...]] = {
    "marginal": ("pct", "per_unit", "fixed", "multiplier", "payout_pct", "base_rate_factor"),
    "whole_overage": ("pct", "per_unit", "multiplier", "payout_pct", "base_rate_factor"),
    "rate_from_start": ("pct", "per_unit", "multiplier", "payout_pct", "base_rate_factor"),
    "interpolated": ("fixed", "payout_pct"),
}

STATED = "close it, or say what happens there with outside: zero, edge or hold"


class Band(Strict):
    """One band: from ``from`` (inclusive; left out: no lower end) to ``to`` (exclusive; left out: open)."""

    lower: Bound | None = Field(default=None, alias="from")
    upper: Bound | None = Field(default=None, alias="to")
    value: Bound
    back_to_start: bool = False


class Point(Strict):
    """A point of a curve: the value at ``at``."""

    at: Bound
    value: Bound


class Setting(NamedTuple):
    """What a rate's faults depend on besides the rate.

    ``measured`` is what is measured in words, ``unit`` the unit of it (``currency``, ``count`` or a KPI's).
    """

    measured: str
    unit: str
    is_kpi: bool
    accumulate: str
    has_target: bool
    has_target_pay: bool


class Rate(Strict):
    """One rate table.

    Attributes:
        basis: On what the rate depends. ``attainment`` is measure / target (1 is the target met); ``amount`` the
            measure itself, whatever it is counted in; ``units`` the units; ``margin_pct`` gross margin / net revenue;
            ``discount_pct`` discount / amount before discount (fractions); ``deal_amount`` the net amount of the
            whole document; ``none``: one value for all.
        rule: How the bands pay; left out only where basis is ``none``.
        pays: What ``value`` means. ``pct``: percent of the measure. ``per_unit``: an amount per unit. ``fixed``: an
            amount. ``multiplier``: target pay x weight x attainment x value. ``payout_pct``: value percent of target
            pay x weight. ``base_rate_factor``: measure x ``base_rate`` x value.
        base_rate: Percent of the measure that ``base_rate_factor`` multiplies.
        outside: What happens where no band is: ``zero`` pays nothing for it, ``edge`` goes on as the band beside it (in
            a gap the one below), ``hold`` makes the line wait for a person. Needed where bands leave something open.
        bands: Ascending, without overlap.
        points: Of a curve instead of bands, by ascending ``at``.
        value: Instead of bands where basis is ``none``.
        decelerates: That values fall from band to band on purpose; only ``plan lint`` asks.
    """

    basis: Basis
    rule: Rule | None = None
    pays: Pays = "pct"
    base_rate: Annotated[Decimal, Field(ge=-100, le=100, decimal_places=4)] | None = None
    outside: Outside | None = None
    bands: tuple[Band, ...] = ()
    points: tuple[Point, ...] = ()
    value: Bound | None = None
    decelerates: bool = False

    @property
    def band_rule(self) -> Rule:
        """The rule; of a rate without basis ``whole_base``, which is what one value for everything is."""
        return self.rule or "whole_base"

    @property
    def all_bands(self) -> tuple[Band, ...]:
        """The bands; a single value is one band without ends."""
        return self.bands if self.value is None else (Band(value=self.value),)

    @property
    def form(self) -> Literal["slice", "total", "rate"]:
        """What a stretch's line gives: the rate of a slice, the total that is paid, or the value that holds."""
        if self.is_sliced:
            return "slice"
        return "rate" if self.band_rule in ("whole_base", "curve") or self.basis not in TOTALS else "total"

    @property
    def is_sliced(self) -> bool:
        """Whether each stretch pays for its own slice, a line of the statement each."""
        return self.band_rule == "interpolated" or (self.band_rule == "marginal" and self.pays != "fixed")

    def faults_at(self, at: Location, setting: Setting) -> Iterator[Fault]:
        """Fields that do not go together, bands that do not fit together, values that do not fit what is measured."""
        shape = list(self._shape_faults(at))
        yield from shape
        if not shape:
            yield from self._band_faults(at)
            yield from self._value_faults(at)
        yield from self._basis_faults(at, setting)
        yield from self._pays_faults(at, setting)

    def _shape_faults(self, at: Location) -> Iterator[Fault]:
        """Which of bands, points and value is given."""
        if self.basis == "none":
            if self.rule not in (None, "whole_base"):
                yield Fault(
                    (*at, "rule"), f"{self.rule} needs a basis, and basis is none", "leave rule out, or name a basis"
                )
            if self.value is None or self.bands or self.points:
                yield Fault(at, "a rate without basis has one value", "write value: instead of bands")
            return
        if self.rule is None:
            yield Fault(at, "nothing says how the bands pay", "add rule: marginal, whole_base, whole_overage, ...")
        if self.value is not None:
            yield Fault((*at, "value"), f"value goes with basis: none, not {self.basis}", "write bands")
        if self.rule == "curve":
            if self.bands:
                yield Fault(
                    (*at, "bands"), "a curve has points, not bands", "write points: [{at: 0.8, value: 50}, ...]"
                )
            elif len(self.points) < 2:
                yield Fault(at, "a curve needs two points or more", "add points: [{at: 0.8, value: 50}, ...]")
        elif self.points:
            yield Fault((*at, "points"), f"points are for a curve, not for {self.rule}", "write bands, or rule: curve")
        elif self.value is None and not self.bands:
            yield Fault(at, "the rate has no bands", "add bands: [{from: 0, value: 1}]")

    def _band_faults(self, at: Location) -> Iterator[Fault]:
        if self.band_rule == "curve":
            for number, (left, right) in enumerate(pairwise(self.points), start=1):
                if right.at <= left.at:
                    yield Fault(
                        (*at, "points", number, "at"),
                        f"{right.at} is not above the point before it, {left.at}",
                        "give the points by ascending at, each once",
                    )
            if self.outside is None:
                yield Fault(
                    (*at, "points"),
                    f"nothing says what happens below {self.points[0].at} and from {self.points[-1].at} on",
                    "say it with outside: zero, edge or hold",
                )
            return
        yield from self._cover_faults(at)
        if self.band_rule == "interpolated":
            for index, band in enumerate(self.bands):
                if band.lower is None or band.upper is None:
                    yield Fault(
                        (*at, "bands", index),
                        "an interpolated band adds its value between its two ends, and this one has no end",
                        "give it from and to; what lies beyond follows outside",
                    )
        if self.band_rule == "whole_overage" and len(self.bands) < 2:
            yield Fault((*at, "bands"), "whole_overage needs a band beyond the first", "add one that begins at its end")
        back = [index for index, band in enumerate(self.bands) if band.back_to_start]
        if self.band_rule == "rate_from_start" and not back:
            yield Fault(
                (*at, "bands"), "no band goes back to the first sale", "give one back_to_start: true, or write marginal"
            )
        for index in back:
            if (self.bands[index].lower or 0) <= 0:
                yield Fault(
                    (*at, "bands", index, "back_to_start"),
                    "the band begins at the start, there is nothing to go back over",
                    "leave it out, or let the band begin above 0",
                )
        if self.band_rule != "rate_from_start" and back:
            yield Fault(
                (*at, "bands", back[0], "back_to_start"),
                f"{self.band_rule} pays no band back to the first sale",
                "write rule: rate_from_start, or leave it out",
            )

    def _cover_faults(self, at: Location) -> Iterator[Fault]:
        """Gaps, overlaps, empty and unordered bands."""
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
                yield Fault(here, f"there is a gap between {previous.upper} and {band.lower}", STATED)
            previous = band
        if self.outside is None and self.bands:
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

    def _value_faults(self, at: Location) -> Iterator[Fault]:
        places = DECIMALS[self.pays]
        listed: list[tuple[Location, Decimal]] = []
        if self.value is not None:
            listed.append(((*at, "value"), self.value))
        listed += [((*at, "bands", no, "value"), band.value) for no, band in enumerate(self.bands)]
        listed += [((*at, "points", no, "value"), point.value) for no, point in enumerate(self.points)]
        for here, value in listed:
            if value != round(value, places):
                yield Fault(
                    here, f"{value} has more than {places} decimals, and pays is {self.pays}", "write fewer decimals"
                )

    def _basis_faults(self, at: Location, setting: Setting) -> Iterator[Fault]:
        here = (*at, "basis")
        if self.rule is not None and self.rule not in ("whole_base", "curve") and self.basis not in (*TOTALS, "none"):
            yield Fault(
                (*at, "rule"),
                f"{self.rule} pays slices, and {self.basis} is a ratio or a size that has none",
                "write rule: whole_base or curve, or basis: attainment, amount or units",
            )
        if self.basis == "attainment" and not setting.has_target:
            yield Fault(here, "there is no attainment without a target", "add a target to the component")
        if self.basis == "attainment" and setting.accumulate == "transaction":
            yield Fault(here, "one transaction has no attainment of a target", "accumulate: period, or another basis")
        if self.basis == "deal_amount" and setting.accumulate != "transaction":
            yield Fault(
                here, "a deal's size is that of one transaction", "add accumulate: transaction to the component"
            )
        if setting.is_kpi and self.basis not in ("attainment", "amount", "none"):
            yield Fault(
                here, f"a KPI has no {self.basis}", "use attainment, or amount, which is the KPI's value itself"
            )

    def _pays_faults(self, at: Location, setting: Setting) -> Iterator[Fault]:
        here: Location = (*at, "pays") if "pays" in self.model_fields_set else at
        fitting = _FITTING.get(self.band_rule)
        if fitting is not None and self.pays not in fitting:
            yield Fault(here, f"{self.band_rule} cannot pay {self.pays}", f"use {' or '.join(fitting)}")
        if self.pays in ("pct", "base_rate_factor") and setting.unit != "currency":
            yield Fault(
                here,
                f"{self.pays} pays a part of the measure, and {setting.measured} is no amount of money",
                "use fixed, per_unit, payout_pct or multiplier",
            )
        if self.pays == "per_unit" and setting.is_kpi:
            yield Fault(here, "a KPI has no units", "use fixed, payout_pct or multiplier")
        if self.pays in ("multiplier", "payout_pct") and not setting.has_target_pay:
            yield Fault(
                here,
                f"{self.pays} pays a part of the target pay, and the plan has none",
                "add target_pay: {of: assignment, per: year} to the plan",
            )
        if self.pays == "multiplier" and not setting.has_target:
            yield Fault(here, "multiplier pays by attainment, and there is no target", "add a target to the component")
        sliced = self.rule in ("marginal", "whole_overage", "rate_from_start")
        if self.pays in ("multiplier", "payout_pct") and sliced and self.basis in ("amount", "units"):
            yield Fault(
                here,
                f"{self.rule} with {self.pays} pays slices of attainment, and basis is {self.basis}",
                "write basis: attainment, or rule: whole_base",
            )
        if (self.pays == "base_rate_factor") != (self.base_rate is not None):
            what, mend = (
                ("there is no base rate to multiply", "add base_rate, in percent")
                if self.base_rate is None
                else (f"base_rate goes with base_rate_factor, not with {self.pays}", "leave it out, or correct pays")
            )
            yield Fault(at if self.base_rate is None else (*at, "base_rate"), what, mend)
