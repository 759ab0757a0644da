"""A source whose CRM is a simulator: pulled into an inbox, and what was pulled, put together as the lake would."""

from __future__ import annotations

import datetime as dt
import gzip
import json
import shutil
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.crm_sim import Clock, Fxiaoke, Zoho

from dealermart.base import REPO, Settings
from dealermart.config import Profile
from dealermart.landing.crm import Asked, doors, sync
from dealermart.landing.crm.web import Clock as OurClock

START = dt.datetime(2026, 8, 3, 11, 48, 37, tzinfo=dt.UTC)
DAY = dt.date(2026, 8, 3)

DEALS = {"name": "Deals", "fields": ["Deal_Name", "Stage", "Amount", "Owner", "Account_Name", "Closing_Date"]}
CHANCES = {"name": "NewOpportunityObj", "fields": ["name", "amount", "sales_stage", "owner", "close_date"]}


def profile(system: str, *objects: dict[str, Any], lists: dict[str, Any] | None = None, **more: Any) -> Profile:
    """A profile that reads these objects; its only file takes whatever is pulled."""
    crm = {"system": system, "objects": objects, "lists": lists or {}, **more}
    return Profile.model_validate(
        {
            "source": system,
            "title": "t",
            "crm": crm,
            "files": [{"name": "all", "pattern": "*.jsonl", "format": "jsonl"}],
        }
    )


@dataclass
class Source:
    """A source at a simulator: ``pull`` it, ``state`` is what its files say now."""

    settings: Settings
    sim: Zoho | Fxiaoke
    profile: Profile
    entry: dict[str, str]
    key: str
    said: list[str] = field(default_factory=list)
    calls: dict[str, int] = field(default_factory=dict)

    @contextmanager
    def client(self) -> Iterator[Any]:
        """The client, at the simulator's clock: whoever sleeps lets that one run ahead."""
        clock = OurClock(lambda: self.sim.clock.now().timestamp(), self.sim.clock.advance)
        with doors._client(self.settings, self.profile, self.entry, clock) as client:
            yield client

    def pull(self, day: dt.date = DAY, *, land: bool = True, **asked: Any) -> list[str]:
        """Pull once; a second passes before, so that what was edited lies in the past. Gives the files' names."""
        self.sim.clock.advance(1)
        with self.client() as client:
            pulled = sync.pull(self.settings, self.profile, client, day, Asked(**asked), self.said.append)
        self.calls = pulled.calls
        if land:
            self.land()
        return [file for _, file in pulled.files]

    def land(self) -> None:
        """Take the inbox as an ingest does, as far as landing goes."""
        import hashlib

        for path in self.files():
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            folder = self.settings.landing / self.profile.source / path.parent.name / digest[:16]
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "manifest.json").write_text("{}")

    def files(self, stem: str = "") -> list[Path]:
        """Files in the inbox whose names begin so, in the order of their parts."""
        found = (self.settings.inbox / self.profile.source).glob(f"[0-9]*/{stem}*.jsonl*")
        return sorted(found, key=lambda path: path.name.split("_")[-1])

    def lines(self, stem: str) -> list[dict[str, Any]]:
        """All records of these files."""
        found = []
        for path in self.files(f"{stem}_"):
            text = gzip.decompress(path.read_bytes()).decode() if path.suffix == ".gz" else path.read_text("utf-8")
            found += [json.loads(line) for line in text.splitlines()]
        return found

    def state(self, name: str | None = None) -> dict[str, dict[str, Any]]:
        """By id what holds: the version with the latest time; no two versions of one record have the same."""
        latest: dict[str, dict[str, Any]] = {}
        versions: dict[tuple[str, str], dict[str, Any]] = {}
        for record in self.lines(name or self.profile.crm.objects[0].name):  # type: ignore[union-attr]
            told, item = record["_pull"]["changed_at"], record[self.key]
            same = versions.setdefault((item, told), record)
            assert same == record, "two versions of a record have one time"
            if item not in latest or told > latest[item]["_pull"]["changed_at"]:
                latest[item] = record
        return {item: record for item, record in latest.items() if not record["_pull"]["gone"]}


@pytest.fixture
def clock() -> Clock:
    return Clock(START, ticking=False)


@pytest.fixture
def zoho(clock: Clock) -> Iterator[Zoho]:
    with Zoho(zone=dt.timezone(dt.timedelta(hours=3)), clock=clock) as sim:
        sim.limits.credits = 10**9
        yield sim


@pytest.fixture
def fxiaoke(clock: Clock) -> Iterator[Fxiaoke]:
    with Fxiaoke(clock=clock) as sim:
        sim.limits.daily = 10**9
        yield sim


def small_config(folder: Path, feeds: Collection[str]) -> Path:
    """The repository's config, with no more of the sample's files than those of these feeds."""
    shutil.copytree(REPO / "config", folder)
    path = folder / "sources" / "sample" / "source.yml"
    said = yaml.safe_load(path.read_text("utf-8"))
    said["files"] = [file for file in said["files"] if file.get("feed") in feeds]
    path.write_text(yaml.safe_dump(said, allow_unicode=True), "utf-8")
    return folder


Make = Callable[..., Source]


def entry_of(sim: Zoho | Fxiaoke, style: str = "new") -> dict[str, str]:
    """How a simulator is entered."""
    if isinstance(sim, Zoho):
        more = {"client_id": sim.client_id, "client_secret": sim.client_secret, "refresh_token": sim.refresh_token}
    else:
        user = sim.employee if style == "new" else sim.user
        more = {"client_id": sim.app_id, "client_secret": sim.app_secret, "permanent_code": sim.permanent_code}
        more |= {"user_id": user, "style": style}
    return {"base_url": sim.base, "test_host": "1", **more}


@pytest.fixture
def source(tmp_path: Path) -> Make:
    """A source at a simulator, with objects as a profile names them: ``source(zoho, DEALS, sweep_hours=0)``."""

    def make(sim: Zoho | Fxiaoke, *objects: dict[str, Any], style: str = "new", **more: Any) -> Source:
        system = "zoho" if isinstance(sim, Zoho) else "fxiaoke"
        objects = objects or (DEALS if system == "zoho" else CHANCES,)
        settings = Settings(home=tmp_path / "home", config=tmp_path)
        key = "id" if system == "zoho" else "_id"
        return Source(settings, sim, profile(system, *objects, **more), entry_of(sim, style), key)

    return make
