"""Pull what is new in a CRM into the inbox, from where the time before ended.

The order of one object: its changes in a window of time, then deletions, then, when it is due, a comparison of all ids.
Files first, marks after them: what was not settled is read again, and what was read twice is not written twice.
"""

from __future__ import annotations

import datetime as dt
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Protocol

from dealermart.base import ConfigError, DataError, Settings
from dealermart.config import Crm, CrmObject, Profile
from dealermart.landing.crm.parts import Part, drafts, place_manifest
from dealermart.landing.crm.records import Gone, Page, Row, Window, written
from dealermart.landing.crm.state import Mark, State
from dealermart.landing.crm.web import Web

LOOKED_AT = 100  # deleted records of an object that are looked at for having been restored: one call
FEW_MISSING = 10  # so many may always be missing in a sweep
_IDS = 1000


class Client(Protocol):
    """What a vendor's client can do."""

    web: Web
    id_key: str

    def now(self) -> dt.datetime:
        """The present second of the server, before which every window ends."""

    def changed(self, item: CrmObject, window: Window, is_first: bool) -> Iterator[Page]:
        """Records of an object that were changed in a window."""

    def deleted(self, item: CrmObject, since: dt.datetime | None) -> list[Gone]:
        """What was deleted since a moment, where the system says it."""

    def ids(self, item: CrmObject) -> Iterator[list[tuple[str, dt.datetime]]]:
        """All ids of an object, with the time of change of each."""

    def by_ids(self, item: CrmObject, ids: list[str]) -> list[Row]:
        """Those of the records that there are now."""

    def listed(self, name: str, kept: tuple[str, ...]) -> list[Row]:
        """A short list, whole."""


@dataclass(frozen=True)
class Asked:
    """What a pull is to do besides what is due: a window of changes once more, or a comparison of all ids."""

    since: dt.datetime | None = None
    until: dt.datetime | None = None
    sweep: bool = False


@dataclass(frozen=True)
class Pulled:
    """Files in the inbox, and how often which call was made."""

    files: tuple[tuple[dt.date, str], ...]
    calls: dict[str, int]


def pull(
    settings: Settings,
    profile: Profile,
    client: Client,
    received: dt.date,
    asked: Asked,
    say: Callable[[str], None],
) -> Pulled:
    """Read all objects and lists of a profile; see ``landing.fetch``."""
    assert profile.crm is not None
    state = State(settings, profile.source)
    shutil.rmtree(drafts(settings, profile.source), ignore_errors=True)
    try:
        for file in state.recover():
            say(f"{file} is gone from the inbox and never landed; it is read again")
        work = _Pull(settings, profile, profile.crm, client, state, received, asked, say)
        try:
            work.run()
        finally:
            state.forget_open()
            if manifest := place_manifest(settings, profile.source, received, state, work.stamp or "none"):
                work.files.append((received, manifest))
        return Pulled(tuple(work.files), dict(client.web.calls))
    finally:
        state.close()


@dataclass
class _Pull:
    settings: Settings
    profile: Profile
    crm: Crm
    client: Client
    state: State
    received: dt.date
    asked: Asked
    say: Callable[[str], None]

    def __post_init__(self) -> None:
        self.files: list[tuple[dt.date, str]] = []
        self.stamp, self.now = "", dt.datetime(1970, 1, 1, tzinfo=dt.UTC)

    def run(self) -> None:
        self.now = self.client.now()  # once: it is a call
        self.stamp = f"{self.now:%Y%m%dT%H%M%S}"
        for name, kept in self.crm.lists.items():
            self._list(name, kept, self.now)
        refused: list[ConfigError] = []
        for item in self.crm.objects:
            try:
                self._object(item)
            except ConfigError as error:  # a right or a field that is lacking is of one object; the others are read
                self.state.forget_open()
                self.say(f"{item.name}: not read: {error.what}")
                refused.append(error)
        if refused:
            raise refused[0]

    def _list(self, name: str, kept: tuple[str, ...], now: dt.datetime) -> None:
        part = self._part(name, None)
        rows = [replace(row, modified=now) for row in self.client.listed(name, kept)]
        part.write(self.state.news(name, rows, now, None, part.number), len(rows))
        self._settle(name, part, replace(self.state.mark(name), hi=now))

    def _object(self, item: CrmObject) -> None:
        mark = self.state.mark(item.name)
        if self.asked.since or self.asked.until:
            self._changes(item, mark, Window(self.asked.since, self.asked.until or self.now), moves=False)
            return
        if mark.open is not None:  # begun, and cut off
            mark = self._changes(item, mark, mark.open)
        back = dt.timedelta(minutes=self.crm.overlap_minutes)
        hi = self.now
        is_first = mark.hi is None
        mark = self._changes(item, mark, Window(mark.hi - back if mark.hi else None, hi))
        part = self._part(item.name, item.stage)
        self._deletions(item, part, mark.gone - back if mark.gone else None)
        mark = replace(mark, gone=hi)
        if self._sweep_is_due(mark, hi, is_first):
            self._sweep(item, part)
            mark = replace(mark, swept=hi)
        elif is_first:
            mark = replace(mark, swept=hi)  # all was read just now
        self._settle(item.name, part, mark)

    # ------------------------------------------------------------------------------------------------ changes
    def _changes(self, item: CrmObject, mark: Mark, window: Window, moves: bool = True) -> Mark:
        """Read a window; ``moves``: the mark goes to its end, for it joins the one before."""
        part, read_so_far = self._part(item.name, item.stage), 0
        facts = {"from": written(window.lo) if window.lo else None, "to": written(window.hi)}
        for page in self.client.changed(item, window, mark.hi is None and moves):
            read_so_far += len(page.rows)
            told = self.state.news(item.name, page.rows, window.hi, item.stage, part.number)
            part.write(told, len(page.rows), window.lo)
            if page.after is not None and part.written >= self.crm.part_records:
                self.say(f"{item.name}: {read_so_far:,} records read")
                going_on = replace(mark, open=replace(window, after=page.after)) if moves else mark
                self._settle(item.name, part, going_on, facts)
                part = self._part(item.name, item.stage)
        done = replace(mark, hi=max(window.hi, mark.hi) if mark.hi else window.hi, open=None) if moves else mark
        self._settle(item.name, part, done, facts)
        self.say(f"{item.name}: {read_so_far:,} records read, changed before {window.hi:%Y-%m-%d %H:%M:%S} UTC")
        return done

    # ------------------------------------------------------------------------------------------------ deletions
    def _deletions(self, item: CrmObject, part: Part, since: dt.datetime | None) -> None:
        """What the system lists as deleted, unless it is there again; and what we think deleted and is there again."""
        new = self.state.new_deletions(item.name, self.client.deleted(item, since))
        back = self._there(item, [gone.id for gone in new], part)
        part.write(self.state.deleted(item.name, [gone for gone in new if gone.id not in back], part.number), len(new))
        known = self.state.lately_gone(item.name, LOOKED_AT + len(new))
        fresh = {gone.id for gone in new}
        old = [item_id for item_id in known if item_id not in fresh][:LOOKED_AT]
        self._there(item, old, part)
        self.state.looked_at(item.name, old)

    def _there(self, item: CrmObject, ids: list[str], part: Part) -> set[str]:
        """Which of these records there are; what is new of them is written."""
        if not ids:
            return set()
        rows = self.client.by_ids(item, ids)
        alive = [row for row in rows if not row.is_gone]
        part.write(
            self.state.news(item.name, alive, self.client.web.date or self.now, item.stage, part.number), len(alive)
        )
        return {row.id for row in alive}

    def _sweep_is_due(self, mark: Mark, now: dt.datetime, is_first: bool) -> bool:
        if self.asked.sweep:
            return True
        after = dt.timedelta(hours=self.crm.sweep_after_hours)
        return not is_first and (mark.swept is None or now - mark.swept >= after)

    def _sweep(self, item: CrmObject, part: Part) -> None:
        """Compare all ids with those that are known."""
        self.state.sweep(self.client.ids(item))
        known, missing = self.state.alive(item.name), self.state.missing(item.name)
        for start in range(0, len(unknown := self.state.unknown(item.name)), _IDS):
            self._there(item, unknown[start : start + _IDS], part)
        there: set[str] = set()
        if len(missing) <= self._may_miss(known):
            there = self._there(item, missing, part)
        gone = [item_id for item_id in missing if item_id not in there]
        if len(gone) > self._may_miss(known):
            raise DataError(
                f"{len(gone):,} of {known:,} known records of {item.name} are not among the ids that there are; "
                "none is marked as deleted",
                where=f"{self.profile.source} ({self.crm.system})",
                mend="see that the integration user still sees all records; if so many were deleted, raise sweep_stop "
                "in the profile for one run",
            )
        now = self.client.web.date or self.now
        said = [Gone(item_id, now, json.dumps({self.client.id_key: item_id})) for item_id in gone]
        part.write(self.state.deleted(item.name, said, part.number), 0)
        self.say(f"{item.name}: all ids compared, {len(gone):,} gone, {len(unknown):,} not known so")

    def _may_miss(self, known: int) -> int:
        return max(FEW_MISSING, int(self.crm.sweep_stop * known))

    # ------------------------------------------------------------------------------------------------ parts
    def _part(self, name: str, stage: str | None) -> Part:
        self.state.begin()
        return Part(self.settings, self.profile.source, name, stage, self.stamp, self.state.next_part())

    def _settle(self, name: str, part: Part, mark: Mark, facts: dict[str, Any] | None = None) -> None:
        files = part.place(self.received, facts or {})
        self.state.settle(name, mark, files)
        for file in files:
            self.files.append((self.received, file["file"]))
            self.say(f"{self.received} {file['file']}")
