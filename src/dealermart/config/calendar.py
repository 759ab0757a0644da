"""Working days and business hours (``config/calendar.yml``)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Annotated, Literal

from pydantic import Field

from dealermart.config.yamlfile import Fault, Strict

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

Clock = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$|^24:00$")]


class Holiday(Strict):
    """Days that are free, the first and the last included."""

    start: date = Field(alias="from")
    end: date = Field(alias="to")
    name: Annotated[str, Field(min_length=1)]
    name_zh: Annotated[str, Field(min_length=1)]


class Calendar(Strict):
    """Which days are worked, and from when to when. Times are the company's own, written like 09:00."""

    weekdays: tuple[Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"], ...] = (
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
    )
    opens: Clock = "09:00"
    closes: Clock = "18:00"
    holidays: tuple[Holiday, ...] = ()
    make_up_days: tuple[date, ...] = ()

    @property
    def opens_at(self) -> int:
        """Seconds after midnight at which a working day begins."""
        return _seconds(self.opens)

    @property
    def closes_at(self) -> int:
        """Seconds after midnight at which it ends."""
        return _seconds(self.closes)

    @property
    def exceptions(self) -> dict[date, tuple[bool, str, str]]:
        """Day -> whether it is worked, why, and why in Chinese; of days that do not follow the week."""
        free = {
            holiday.start + timedelta(days=number): (False, holiday.name, holiday.name_zh)
            for holiday in self.holidays
            for number in range((holiday.end - holiday.start).days + 1)
        }
        return free | dict.fromkeys(self.make_up_days, (True, "make-up working day", "调休上班"))

    def faults(self) -> Iterator[Fault]:
        """What no single field shows."""
        if self.closes_at <= self.opens_at:
            yield Fault(("closes",), f"it closes at {self.closes}, not after it opens at {self.opens}", "correct one")
        free: set[date] = set()
        for index, holiday in enumerate(self.holidays):
            at = ("holidays", index)
            if holiday.end < holiday.start:
                yield Fault(at, f"{holiday.name} ends before it begins", "to is its last day")
                continue
            days = {holiday.start + timedelta(days=n) for n in range((holiday.end - holiday.start).days + 1)}
            if days & free:
                yield Fault(at, f"{min(days & free)} is in a holiday before it too", "correct one of the two")
            free |= days
        for index, day in enumerate(self.make_up_days):
            at = ("make_up_days", index)
            if day in free:
                yield Fault(at, f"{day} is a holiday", "remove it from one of the two")
            elif WEEKDAYS[day.weekday()] in self.weekdays:
                yield Fault(at, f"{day} is a {WEEKDAYS[day.weekday()].title()}, worked anyway", "correct the date")
            elif day in self.make_up_days[:index]:
                yield Fault(at, f"{day} stands twice", "remove it")


def _seconds(clock: str) -> int:
    hours, minutes = clock.split(":")
    return int(hours) * 3600 + int(minutes) * 60
