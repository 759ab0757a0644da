"""What holds for the whole company: reporting currency, fiscal calendar, how credit is given."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Annotated, Literal
from zoneinfo import available_timezones

from pydantic import AfterValidator, Field

from dealermart.config.yamlfile import Fault, Strict

CurrencyCode = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]

# ISO 4217: currencies whose minor unit is not a hundredth, by its decimals. The models round by the same list
# (`make feeds` writes it into dbt_project/macros/minor_units.sql), and hold what has more decimals than an amount has.
# fmt: off
MINOR_UNITS: dict[int, tuple[str, ...]] = {
    0: (
        "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF",
        "XPF",
    ),
    3: ("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"),
    4: ("CLF", "UYW"),
}
# fmt: on

AMOUNT_DECIMALS = 2
"""Of the amounts of statements and KPIs: `decimal(18,2)`."""


def minor_digits(currency: str) -> int:
    """How many decimals the amounts of a currency have."""
    return next((digits for digits, codes in MINOR_UNITS.items() if currency in codes), AMOUNT_DECIMALS)


AccountField = Literal["account_type", "dealer_id", "owner_user_id", "phone", "website", "country", "city"]

Channel = Literal["phone", "email", "video", "meeting", "chat", "portal"]
Urgency = Literal["low", "normal", "high", "urgent"]
Days = Annotated[int, Field(ge=1)]

# What is urgent is said, not left in a mailbox; what can wait does not ring anybody up.
CHANNEL_FIT: dict[Urgency, tuple[Channel, ...]] = {
    "low": ("email", "chat", "portal"),
    "normal": ("email", "chat", "portal", "meeting", "video"),
    "high": ("phone", "chat", "meeting", "video"),
    "urgent": ("phone", "meeting", "video"),
}


def _known_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError(f"time zone {name!r} is not known; write it like Asia/Shanghai")
    return name


class Company(Strict):
    """The company file (``config/company.yml``)."""

    name: Annotated[str, Field(min_length=1)]
    """The company's name, for statements and reports."""

    name_zh: Annotated[str, Field(min_length=1)] | None = None
    """The same in Chinese."""

    reporting_currency: CurrencyCode
    """The currency of KPIs and statements; one with hundredths."""

    fiscal_year_start_month: Annotated[int, Field(ge=1, le=12)] = 1
    """The month in which a fiscal year begins. It is named by the calendar year in which it ends."""

    calendar_start: date
    """The first day of the fiscal calendar: the first day of a fiscal year. What lies before it is in no
    period."""

    time_zone: Annotated[str, AfterValidator(_known_zone)] = "UTC"
    """Whose days are the company's days, written like `Asia/Shanghai`."""

    fx_rate_type: Literal["market"] = "market"
    """The rates that convert revenue for KPIs."""

    plan_fx_rate_type: Literal["plan"] = "plan"
    """The rates by which incentives are paid."""

    credit_rule: Literal["stated_seller_else_assignment"] = "stated_seller_else_assignment"
    """Who gets the credit of a sale."""

    payments_on_account: Literal["oldest_first", "keep_open"] = "oldest_first"
    """What becomes of payments that name no document: they pay the dealer's oldest open invoices of their currency, or
    stay open on account."""

    payment_terms_days: Annotated[int, Field(ge=0)] = 30
    """Days after the sale on which an invoice is due whose source states no due date."""

    receivables_from: date | None = None
    """Invoices dated from this day on are followed until they are paid; what is older is taken as settled. Without it
    the fiscal month of the first payment received: of what came before it, nobody knows whether it was paid."""

    min_group_size: Annotated[int, Field(ge=2)] = 5
    """Groups of fewer people are too small to be shown."""

    persons_in_bi: Literal["name", "hashed"] = "name"
    """How BI sees members: by id and name, or `hashed`, each by a code that only who has the key can tell; see
    `DEALERMART_PERSON_KEY` in docs/operations.md."""

    logins: str | None = None
    """The file of `config` that says which login of PostgreSQL is which member, written like `logins.yml`; without it
    no manager and no member logs in."""

    published_keep_days: Annotated[int, Field(ge=0)] = 7
    """For how many days copies that were published before are kept; the last one always is."""

    feedback_days: Annotated[int, Field(ge=1)] = 30
    """Days after the end of a quarter within which the result of its reviews is to be delivered."""

    plans: tuple[str, ...] | None = None
    """The files of `config/plans` that apply, those of its folders as `folder/file.yml`; without it all that lie in
    `config/plans` itself."""

    reviews: tuple[str, ...] | None = None
    """The files of `config/reviews` that apply; without it all."""

    first_response_hours: dict[Literal["low", "normal", "high", "urgent"], Annotated[Decimal, Field(gt=0)]] = {
        "low": Decimal(18),
        "normal": Decimal(9),
        "high": Decimal(4),
        "urgent": Decimal(2),
    }
    """By priority of a service case, within how many business hours it is to be answered; one that is not named has no
    limit."""

    calendar: str | None = None
    """The file of `config` with working days and business hours, written like `calendar.yml`; without it every Monday
    to Friday is worked from 9 to 18 o'clock."""

    training_plan: str | None = None
    """The file of `config` with the levels of skill that roles ask for, written like `training_plan.yml`; without it
    the training plan goes by courses alone."""

    scorecard: str | None = None
    """The file of `config` with the rules of the dealers' scorecard, written like `scorecard.yml`; without it no tier
    is proposed and no figure is a warning."""

    review_rules: str | None = None
    """The file of `config` with deadlines, calibration and nine-box of reviews, written like `review_rules.yml`;
    without it the defaults hold, and there is no guideline for the spread of ratings."""

    career_ladder: str | None = None
    """The file of `config` with the grades of each role and what they ask for, written like `career_ladder.yml`;
    without it nobody has a next grade."""

    complete_feeds: tuple[str, ...] | None = None
    """The feeds in which everything stands that others may refer to; without it all. Rows that refer to what such
    a feed does not hold wait for it."""

    closing_quarantine_rows: Annotated[int, Field(ge=0)] = 0
    """How many rows may be open or waiting in quarantine when a period is closed; more of them need a waiver."""

    retention_months: dict[str, Annotated[int, Field(ge=1)]] = {}
    """By feed, for how many months values of persons are kept; a feed that is not named keeps them for ever."""

    crm_account_fields: Annotated[tuple[AccountField, ...], Field(min_length=1)] = (
        "account_type",
        "owner_user_id",
        "phone",
        "website",
        "country",
        "city",
    )
    """The fields that a complete account of the CRM has filled in."""

    crm_account_fresh_days: Annotated[int, Field(ge=1)] = 90
    """An account whose last change is longer ago is out of date."""

    crm_stalled_days: Annotated[int, Field(ge=1)] = 30
    """An open opportunity without an activity for so many days is stalled."""

    crm_stage_logged_days: Annotated[int, Field(ge=0)] = 2
    """Within how many working days a change of stage is to be entered."""

    channel_fit: dict[Urgency, Annotated[tuple[Channel, ...], Field(min_length=1)]] = CHANNEL_FIT
    """By urgency of a message, the channels that fit it; an urgency that is left out keeps those of the default."""

    acknowledged_kinds: tuple[Literal["notice", "instruction", "market_info", "feedback"], ...] = (
        "instruction",
        "market_info",
    )
    """The kinds of messages that the audience is to confirm, where a message does not say so itself."""

    message_correction_days: Days = 30
    """A message that had to be put right within so many days of its sending was not accurate."""

    suggestion_answer_days: Days = 10
    """Within how many working days a suggestion is to be answered."""

    contact_cadence_days: dict[str, Days] = {}
    """By tier of dealers, within how many days each one is to be in contact with us, such as `{A: 14, B: 30}`."""

    contact_cadence_other_days: Days = 30
    """The same for dealers without a tier, or of one that is not named there."""

    @property
    def channels(self) -> dict[Urgency, tuple[Channel, ...]]:
        """Urgency -> the channels that fit it, of all urgencies."""
        return {**CHANNEL_FIT, **self.channel_fit}

    def faults(self) -> Iterator[Fault]:
        """What no single field shows."""
        if len(set(self.crm_account_fields)) < len(self.crm_account_fields):
            yield Fault(("crm_account_fields",), "a field of accounts is named twice", "name each once")
        for urgency, channels in self.channel_fit.items():
            if len(set(channels)) < len(channels):
                yield Fault(("channel_fit", urgency), f"a channel of {urgency} is named twice", "name each once")
        if len(set(self.acknowledged_kinds)) < len(self.acknowledged_kinds):
            yield Fault(("acknowledged_kinds",), "a kind of message is named twice", "name each once")
        if (self.calendar_start.month, self.calendar_start.day) != (self.fiscal_year_start_month, 1):
            yield Fault(
                ("calendar_start",),
                f"{self.calendar_start} does not begin a fiscal year",
                f"write the first day of a fiscal year, such as "
                f"{date(self.calendar_start.year, self.fiscal_year_start_month, 1)}",
            )
        if minor_digits(self.reporting_currency) != AMOUNT_DECIMALS:
            yield Fault(
                ("reporting_currency",),
                f"{self.reporting_currency} has no hundredths, and KPIs and reports are in hundredths",
                "report in a currency with two decimals",
            )
