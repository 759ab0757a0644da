"""What holds for the whole company: reporting currency, fiscal calendar, how credit is given."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Annotated, Literal
from zoneinfo import available_timezones

from pydantic import AfterValidator, Field

from dealermart.config.yamlfile import Fault, Strict

CurrencyCode = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]

# ISO 4217: currencies whose minor unit is not a hundredth. Amounts are rounded to hundredths on the statement, so a
# company that reports in one of these is refused rather than paid fractions that do not exist.
# fmt: off
NOT_HUNDREDTHS = frozenset({
    "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF",
    "XPF", "BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND",
})

# fmt: on


def _known_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError(f"time zone {name!r} is not known; write it like Asia/Shanghai")
    return name


class Company(Strict):
    """The company file (``config/company.yml``).

    ``plans`` and ``reviews`` name the files that apply, inside ``config/plans`` and ``config/reviews``; left out, all
    files of the folder apply. ``complete_feeds`` names the feeds in which everything stands that others may refer to;
    left out, all of them. Rows that refer to what such a feed does not hold wait for it.
    ``retention_months`` says of feeds for how many months values of persons are kept; left out, for ever.
    """

    name: Annotated[str, Field(min_length=1)]
    name_zh: Annotated[str, Field(min_length=1)] | None = None
    reporting_currency: CurrencyCode
    fiscal_year_start_month: Annotated[int, Field(ge=1, le=12)] = 1
    calendar_start: date
    time_zone: Annotated[str, AfterValidator(_known_zone)] = "UTC"
    fx_rate_type: Literal["market"] = "market"
    plan_fx_rate_type: Literal["plan"] = "plan"
    credit_rule: Literal["stated_seller_else_assignment"] = "stated_seller_else_assignment"
    min_group_size: Annotated[int, Field(ge=2)] = 5
    plans: tuple[str, ...] | None = None
    reviews: tuple[str, ...] | None = None
    complete_feeds: tuple[str, ...] | None = None
    retention_months: dict[str, Annotated[int, Field(ge=1)]] = {}

    def faults(self) -> Iterator[Fault]:
        """What no single field shows."""
        if (self.calendar_start.month, self.calendar_start.day) != (self.fiscal_year_start_month, 1):
            yield Fault(
                ("calendar_start",),
                f"{self.calendar_start} does not begin a fiscal year",
                f"write the first day of a fiscal year, such as "
                f"{date(self.calendar_start.year, self.fiscal_year_start_month, 1)}",
            )
        if self.reporting_currency in NOT_HUNDREDTHS:
            yield Fault(
                ("reporting_currency",),
                f"{self.reporting_currency} has no hundredths, and statements are rounded to hundredths",
                "report in a currency with two decimals",
            )
