"""A page per ingest run, and a page that lists them: files, ledger, failed rules, freshness, drift.

Pages are made from the log, contracts and profiles alone and without a clock: they can be deleted and made again. They
read offline: one file each, no script, nothing fetched. They show counts, names of files and columns and the words of
rules, never a value of the data.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dealermart import compile as config_compiler
from dealermart import contracts, files, lake, profiles, runlog
from dealermart.contracts import Contract
from dealermart.errors import ConfigError, DealermartError
from dealermart.lake import Log
from dealermart.profiles import Profile
from dealermart.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

    from dealermart.company import Company

TREND = 12  # runs of a source that a trend shows
LISTED = 500  # runs that the list shows
REASONS = 20  # reasons per feed and stage; a source's own select words them, and could word one per row
COUNTS = ("records", "structural", "rejected", "mapped", "accepted", "quarantined", "duplicate")
TROUBLE = ("refused", "unrecognised")
MOVED = ("taken_up", "released")  # rows of an earlier delivery that left the quarantine: no file of this run
_ORDER = {"critical": 0, "warning": 1, "info": 2}


@dataclass(frozen=True)
class Point:
    """A rule in one run: rows that failed of rows that it looked at (None: the rule is on the table as a whole)."""

    received: str
    rows: int | None
    of: int

    @property
    def share(self) -> float:
        """0 to 1; a rule on the whole table that failed counts as all rows."""
        if self.rows is None:
            return 1.0
        return min(1.0, self.rows / self.of) if self.of else float(self.rows > 0)


@dataclass(frozen=True)
class Failure:
    """A reason for which rows were not taken (or, severity info, were reported), with the runs up to this one."""

    feed: str
    stage: str
    rule: str
    severity: str
    reason: str
    files: int
    trend: tuple[Point, ...]

    @property
    def now(self) -> Point:
        return self.trend[-1]

    @property
    def change(self) -> int | None:
        """Rows more than in the run before; None where there is none to compare with."""
        if len(self.trend) < 2 or self.now.rows is None or self.trend[-2].rows is None:
            return None
        return self.now.rows - self.trend[-2].rows


@dataclass(frozen=True)
class Fresh:
    """When a kind of file of a source came last. ``days`` are counted to ``Log.received``."""

    source: str
    entry: str
    feed: str
    received: str | None
    event: str | None
    days: int | None
    expected: int | None

    @property
    def state(self) -> str:
        if self.days is None or self.received is None:
            return "never came"
        if self.expected is None:
            return ""
        return "late" if self.days > self.expected else "on time"


@dataclass
class _Found:
    """What one run found, by (feed, stage, rule, reason)."""

    rows: int | None = 0
    severity: str = ""
    reason: str = ""
    files: set[str] = field(default_factory=set)


_Key = tuple[str, str, str, str]


# ---------------------------------------------------------------------------------------------- doors


def after_ingest(settings: Settings, run_id: str, say: Callable[[str], None] = lambda text: None) -> dict[str, str]:
    """Write the run's page and the list. A fault here is told and never fails the ingest, which has committed.

    Returns:
        Facts for the run log: ``report`` (path below the home), or ``report_error``.
    """
    try:
        book = _Book(settings)
        page = book.write(run_id)
        book.write_list()
    except DealermartError as error:
        fault = str(error)
    except Exception as error:  # its text could quote anything
        fault = f"unforeseen {type(error).__name__}"
    else:
        if page is None:
            return {}
        say(f"report: {page}")
        return {"report": page.relative_to(settings.home).as_posix()}
    say(f"the report was not written: {fault}\n  mend: the data is in the lake; run `dealermart report` later")
    return {"report_error": fault}


def run(settings: Settings, run_id: str | None = None, everything: bool = False) -> Path:
    """Make pages again from the log: of one run (by default the last), or of all; and the list.

    Returns:
        The page of the run, or the list.

    Raises:
        ConfigError: no such run.
    """
    book = _Book(settings)
    known = [commit["run_id"] for commit in book.runs]
    if run_id is not None and run_id not in known:
        raise ConfigError(
            f"the log has no ingest run {run_id!r}", where=str(settings.log), mend="`dealermart runs` lists them"
        )
    page = None
    for one in known if everything else ([run_id] if run_id else known[-1:]):
        page = book.write(one)
    listed = book.write_list()
    return page if page and not everything else listed


def path_of(settings: Settings, run_id: str) -> Path:
    """Where the page of a run is, if there is one."""
    return settings.reports / run_id / "index.html"


# ---------------------------------------------------------------------------------------------- pages


class _Book:
    """All that pages are made from, read once."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.log = lake.read(settings)
        self.runs = [commit for commit in self.log.commits if commit["kind"] == "ingest"]
        self.contracts = contracts.load_all(settings)
        self.company: Company = config_compiler.load_config(settings).company
        self._profiles: dict[str, Profile | None] = {}
        self._found: dict[str, dict[_Key, _Found]] = {}
        self._template = _template()

    def write(self, run_id: str) -> Path | None:
        """The page of a run with its pages of checks; None where the run took nothing in and so has no commit."""
        index = next((place for place, commit in enumerate(self.runs) if commit["run_id"] == run_id), None)
        if index is None:
            return None
        commit = self.runs[index]
        before = [one for one in self.runs[:index] if one["source"] == commit["source"]]
        seen = Log(tuple(one for one in self.log.commits if one["seq"] <= commit["seq"]))
        folder = path_of(self.settings, run_id).parent
        judged = self._checks(commit)
        pages = _check_pages(judged, commit)
        for feed, page in pages.items():
            files.write_text(folder / f"{feed}.html", page)
        results = sorted(_files(commit), key=_by_trouble)
        page = self._template.render(
            page="run",
            company=self.company,
            commit=commit,
            profile=self._profile(commit["source"]),
            results=results,
            total={name: sum(one.get(name) or 0 for one in results) for name in COUNTS},
            status={
                name: sum(one["status"] == name for one in results)
                for name in ("accepted", "duplicate", "refused", "unrecognised")
            },
            apart=self._apart(results),
            failures=self._failures(commit, before),
            changed=_changed(commit, before[-1] if before else None),
            moved=[one for one in commit["deliveries"] if one["status"] in MOVED],
            drift=[(one["file"], one["feed"], one["drift"]) for one in results if one.get("drift")],
            fresh=self._fresh(seen, [commit["source"]]),
            today=seen.received,
            checks=pages,
            feed_name=self._feed_name,
            newer=next((one["run_id"] for one in self.runs[index + 1 :]), None),
            older=self.runs[index - 1]["run_id"] if index else None,
        )
        files.write_text(path_of(self.settings, run_id), _clean(page))
        return path_of(self.settings, run_id)

    def write_list(self) -> Path:
        """The list of runs, newest first, with the freshness of every source and what failed without a commit."""
        path = self.settings.reports / "index.html"
        known = {one["run_id"] for one in self.runs}
        heard = sorted({one["source"] for one in self.runs})
        page = self._template.render(
            page="list",
            company=self.company,
            runs=[self._line(commit) for commit in reversed(self.runs[-LISTED:])],
            more=max(0, len(self.runs) - LISTED),
            failed=[
                one
                for one in reversed(runlog.read(self.settings)[-LISTED:])
                if one["command"] == "ingest" and one["status"] in ("failed", "killed") and one["run_id"] not in known
            ],
            fresh=self._fresh(self.log, heard),
            silent=[source for source in profiles.names(self.settings) if source not in heard],
            today=self.log.received,
            feed_name=self._feed_name,
        )
        files.write_text(path, _clean(page))
        return path

    def _line(self, commit: dict[str, Any]) -> dict[str, Any]:
        results = _files(commit)
        return {
            "commit": commit,
            "files": len(results),
            "trouble": sum(one["status"] in TROUBLE for one in results),
            "again": sum(one["status"] == "duplicate" for one in results),
            **{name: sum(one.get(name) or 0 for one in results) for name in COUNTS},
        }

    # ------------------------------------------------------------------------------------------ names

    def _profile(self, source: str) -> Profile | None:
        """The source's profile as it is now; None where it is gone or broken: a page of the past does without."""
        if source not in self._profiles:
            try:
                self._profiles[source] = profiles.load(self.settings, source, self.contracts)
            except ConfigError:
                self._profiles[source] = None
        return self._profiles[source]

    def _feed_name(self, feed: str | None) -> tuple[str, str]:
        """English and Chinese title of a feed; of a reference its name."""
        contract: Contract | None = self.contracts.get(feed or "")
        return (contract.title, contract.title_zh) if contract else (feed or "", "")

    # ----------------------------------------------------------------------------------------- failures

    def _checks(self, commit: dict[str, Any]) -> list[dict[str, Any]]:
        """What every rule of the run found; nothing for a log that did not keep it."""
        name = commit.get("checks")
        path = self.settings.log / str(name)
        return json.loads(path.read_text("utf-8")) if name and path.exists() else []

    def _failed(self, commit: dict[str, Any]) -> dict[_Key, _Found]:
        """All that failed in a run: what is in quarantine, and rules that report only or judge the table as a whole."""
        if commit["run_id"] in self._found:
            return self._found[commit["run_id"]]
        found: dict[_Key, _Found] = {}
        judged = self._checks(commit)
        severity = {(one["feed"], one["rule"]): one["severity"] for one in judged}
        for one in _files(commit):
            for fault in one["faults"]:
                feed, stage, rule = str(one["feed"]), fault["stage"], fault["rule"]
                # A check is known by its rule; reading and mapping know no rule, only a reason.
                key = (feed, stage, rule, "" if stage == "check" else fault["reason"])
                part = found.setdefault(key, _Found(0, severity.get((feed, rule), "warning"), fault["reason"]))
                part.rows = (part.rows or 0) + fault["rows"]
                part.files.add(one["file"])
        for rule in judged:
            key = (rule["feed"], "check", rule["rule"], "")
            if key not in found and (rule["failed"] or not rule["success"]):
                found[key] = _Found(rule["failed"], rule["severity"], rule["description"])
        self._found[commit["run_id"]] = found = _folded(found)
        return found

    def _failures(self, commit: dict[str, Any], before: Sequence[dict[str, Any]]) -> list[Failure]:
        """What failed in this run or in one of those before it that a trend shows; present faults first."""
        failures = []
        for feed in dict.fromkeys(str(one["feed"]) for one in _files(commit) if one["records"] is not None):
            runs = [one for one in (*before, commit) if _read(one, feed)][-TREND:]
            texts: dict[_Key, _Found] = {}
            for one in runs:
                texts |= {key: found for key, found in self._failed(one).items() if key[0] == feed}
            for key, last in texts.items():
                trend = []
                for one in runs:
                    found = self._failed(one).get(key)
                    mapped = key[1] == "check"
                    trend.append(Point(one["received"], found.rows if found else 0, _of(one, feed, mapped)))
                here = self._failed(commit).get(key)
                failures.append(
                    Failure(
                        feed,
                        key[1],
                        key[2],
                        (here or last).severity,
                        (here or last).reason,
                        len(here.files) if here else 0,
                        tuple(trend),
                    )
                )
        return sorted(
            failures,
            key=lambda one: (one.now.rows == 0, _ORDER.get(one.severity, 1), one.feed, -(one.now.rows or 0), one.rule),
        )

    def _apart(self, results: Iterable[dict[str, Any]]) -> list[tuple[str, str, int]]:
        """Rows that a select sets apart as no record of the feed: feed, reason, rows."""
        found: dict[_Key, _Found] = {}
        for one in results:
            for reason, rows in one["apart"].items():
                part = found.setdefault((str(one["feed"]), "apart", "", reason), _Found(0, "", reason))
                part.rows = (part.rows or 0) + rows
        return [(key[0], part.reason, part.rows or 0) for key, part in _folded(found).items()]

    # ---------------------------------------------------------------------------------------- freshness

    def _fresh(self, log: Log, sources: Iterable[str]) -> list[Fresh]:
        """Every kind of file that the profiles of ``sources`` know: when it came last, and what its rows were about."""
        today = dt.date.fromisoformat(log.received) if log.received else None
        rows = []
        for source in sources:
            profile = self._profile(source)
            if profile is None:
                continue
            last: dict[str, tuple[str | None, str | None]] = {}
            for one in log.deliveries():
                # Content that came before is no news, but the source is not silent.
                if one["source"] == source and one["status"] in ("accepted", "duplicate") and one.get("entry"):
                    received, event = last.get(one["entry"], (None, None))
                    last[one["entry"]] = _later(received, one["received"]), _later(event, one.get("latest_event"))
            for spec in profile.files:
                received, event = last.get(spec.name, (None, None))
                days = (today - dt.date.fromisoformat(received)).days if today and received else None
                feed = spec.feed or f"{source}.{spec.name}"
                rows.append(Fresh(source, spec.name, feed, received, event, days, spec.expected_days))
        return rows


def _later(one: str | None, other: str | None) -> str | None:
    return max((day for day in (one, other) if day), default=None)


def _files(commit: dict[str, Any]) -> list[dict[str, Any]]:
    """The files of a run."""
    return [one for one in commit["deliveries"] if one["status"] not in MOVED]


def _read(commit: dict[str, Any], feed: str) -> bool:
    """Whether a run read a file of the feed."""
    return any(one["feed"] == feed and one["records"] is not None for one in _files(commit))


def _of(commit: dict[str, Any], feed: str, mapped: bool) -> int:
    """Rows of a feed in a run: those that checks saw, or all that were no structure."""
    own = [one for one in _files(commit) if one["feed"] == feed and one["records"] is not None]
    return sum(one["mapped"] if mapped else one["records"] - one["structural"] for one in own)


def _folded(found: dict[_Key, _Found]) -> dict[_Key, _Found]:
    """At most ``REASONS`` reasons per feed, stage and rule, the most frequent; the rest is one line."""
    kept: dict[_Key, _Found] = {}
    several: dict[tuple[str, str, str], int] = {}
    for key, one in sorted(found.items(), key=lambda item: -(item[1].rows or 0)):
        several[key[:3]] = several.get(key[:3], 0) + 1
        if several[key[:3]] <= REASONS:
            kept[key] = one
            continue
        rest = kept.setdefault((*key[:3], "\0"), _Found(0, one.severity, "other reasons"))
        rest.rows = (rest.rows or 0) + (one.rows or 0)
        rest.files |= one.files
    return kept


def _changed(commit: dict[str, Any], before: dict[str, Any] | None) -> list[str]:
    """What of profile, contracts and suites is not what it was in the run before: a trend can break there."""
    if before is None:
        return []
    changed = ["the source's profile"] if commit["profile_hash"] != before["profile_hash"] else []
    for name, word in (("contract_hashes", "contract"), ("suite_hashes", "suite")):
        changed += [
            f"the {word} of {feed}"
            for feed, one in commit[name].items()
            if feed in before[name] and before[name][feed] != one
        ]
    return changed


def _by_trouble(result: dict[str, Any]) -> tuple[bool, bool, str]:
    return result["status"] not in TROUBLE, not result["faults"], result["file"]


# ---------------------------------------------------------------------------------------------- words


def _clean(page: str) -> str:
    """Without characters that no page may hold: control characters, and bytes of file names that are no UTF-8."""
    return re.sub(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff\ufffe\uffff]", "\ufffd", page)


def _template() -> Any:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("dealermart"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["number"] = lambda value: "–" if value is None else f"{value:,}"
    environment.filters["percent"] = _percent
    return environment.get_template("report.html")


def _percent(share: float) -> str:
    """A share for people: 0.4 %, and never 0 % of what is there."""
    return "< 0.1 %" if 0 < share < 0.001 else f"{share * 100:.1f} %"


def _check_pages(judged: list[dict[str, Any]], commit: dict[str, Any]) -> dict[str, str]:
    """The Data Docs of a run, by feed."""
    if not judged:
        return {}
    from dealermart import data_docs

    feeds = dict.fromkeys(one["feed"] for one in judged)
    return {
        feed: _clean(data_docs.page(feed, [one for one in judged if one["feed"] == feed], commit)) for feed in feeds
    }
