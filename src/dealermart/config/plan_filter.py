"""Filters of plans: which events a component, a rule or a SPIFF is about.

All fields that are given must hold; a list means any of its values, a range holds its start and not its end.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import Field

from dealermart.config.yamlfile import Fault, Location, Strict

Bound = Annotated[Decimal, Field(max_digits=18, decimal_places=6)]

# Values of a list stand in one text with bars between them.
Value = Annotated[str, Field(min_length=1, pattern=r"^[^|]*$")]

LISTS = ("product_category", "product", "product_subcategory", "brand", "dealer", "dealer_tier", "region", "channel")

RANGES = ("deal_amount", "margin_pct", "discount_pct")


class Range(Strict):
    """From ``from`` (inclusive) to ``to`` (exclusive); either may be left out."""

    lower: Bound | None = Field(default=None, alias="from")
    upper: Bound | None = Field(default=None, alias="to")

    def faults_at(self, at: Location) -> Iterator[Fault]:
        """A range without ends, or one that holds nothing."""
        if self.lower is None and self.upper is None:
            yield Fault(at, "the range has no end", "give from, to or both; or leave the field out")
        elif self.lower is not None and self.upper is not None and self.lower >= self.upper:
            yield Fault(at, f"no value lies from {self.lower} to {self.upper}", "make its end larger than its start")


class Conditions(Strict):
    """Conditions on one event. An empty list, or a field left out, is no condition.

    Attributes:
        product_category: Categories of the product on the day of the sale; the other lists likewise.
        channel: Without it ``sell_in``, what the brand sells to dealers.
        new_dealer: Whether the dealer is new, by the definition of the KPI ``new_dealers``.
        deal_amount: Net amount of the whole document, in the plan's currency; that of the original for a return.
        margin_pct: Gross margin / net amount of the line, a fraction (0.30).
        discount_pct: Discount / amount before discount of the line, a fraction.
    """

    product_category: tuple[Value, ...] = ()
    product: tuple[Value, ...] = ()
    product_subcategory: tuple[Value, ...] = ()
    brand: tuple[Value, ...] = ()
    dealer: tuple[Value, ...] = ()
    dealer_tier: tuple[Value, ...] = ()
    region: tuple[Value, ...] = ()
    channel: tuple[Literal["sell_in", "sell_out"], ...] = ()
    new_dealer: bool | None = None
    deal_amount: Range | None = None
    margin_pct: Range | None = None
    discount_pct: Range | None = None

    @property
    def given(self) -> dict[str, Any]:
        """The fields that are a condition, with their values, in the order above."""
        found = {field: getattr(self, field) for field in Conditions.model_fields}
        return {field: value for field, value in found.items() if value not in (None, ())}

    def conditions_faults(self, at: Location) -> Iterator[Fault]:
        """Ranges that hold nothing."""
        for field in RANGES:
            if (found := getattr(self, field)) is not None:
                yield from found.faults_at((*at, field))


class Filter(Conditions):
    """Conditions that must all hold, and of those in ``any_of`` at least one entry."""

    any_of: tuple[Conditions, ...] = ()

    @property
    def alternatives(self) -> list[dict[str, Any]]:
        """The filter as a list of conditions any of which is enough; without any condition one empty entry."""
        if not self.any_of:
            return [self.given]
        return [self.given | entry.given for entry in self.any_of]

    @property
    def specificity(self) -> int:
        """How many fields are a condition; of alternatives the fewest. A range counts as one."""
        return min(len(entry) for entry in self.alternatives)

    def faults_at(self, at: Location) -> Iterator[Fault]:
        """Empty ranges, and a field that is said twice."""
        yield from self.conditions_faults(at)
        for index, entry in enumerate(self.any_of):
            here = (*at, "any_of", index)
            yield from entry.conditions_faults(here)
            if not entry.given:
                yield Fault(here, "an alternative without a condition lets everything through", "remove any_of")
            for field in entry.given.keys() & self.given.keys():
                yield Fault((*here, field), f"{field} stands outside of any_of as well", "say it in one of the two")


EVERYTHING = Filter()


def both(left: dict[str, Any], right: dict[str, Any]) -> dict[str, Any] | None:
    """The conditions under which both hold; None where no event can meet both."""
    met = left | right
    for field in left.keys() & right.keys():
        first, second = left[field], right[field]
        if isinstance(first, tuple):
            met[field] = tuple(value for value in first if value in second)
            if not met[field]:
                return None
        elif isinstance(first, Range):
            found = _overlap(first, second)
            if found is None:
                return None
            met[field] = found
        elif first != second:
            return None
    return met


def all_of(left: list[dict[str, Any]], right: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The alternatives of two filters that must both hold; empty where no event can meet both."""
    pairs = (both(first, second) for first in left for second in right)
    return [found for found in pairs if found is not None]


def _overlap(left: Range, right: Range) -> Range | None:
    lowers = [end for end in (left.lower, right.lower) if end is not None]
    uppers = [end for end in (left.upper, right.upper) if end is not None]
    lower, upper = max(lowers, default=None), min(uppers, default=None)
    if lower is not None and upper is not None and lower >= upper:
        return None
    return Range.model_validate({"from": lower, "to": upper})
