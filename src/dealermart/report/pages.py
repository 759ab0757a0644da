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
from contextlib import AbstractContextManager
from functools import cache
from pathlib import Path
from typing import Any

from dealermart import lake
from dealermart.base import ConfigError, DealermartError, LockError, Settings, alone, read_runs, write_text
from dealermart.config import Company, Contract, Profile, load_contracts, load_profile, load_yaml, source_names
from dealermart.lake import Log
from dealermart.report.findings import (
    MOVED,
    ORDER,
    TREND,
    TROUBLE,
    Failure,
    Found,
    Fresh,
    Key,
    Point,
    by_trouble,
    changed,
    files_of,
    folded,
    later,
    read_feed,
    rows_of,
)

_PATIENCE_SECONDS = 60.0

LISTED = 500  # runs that the list shows

COUNTS = ("records", "structural", "rejected", "mapped", "accepted", "quarantined", "duplicate")


# ---------------------------------------------------------------------------------------------- doors


def after_ingest(settings: Settings, run_id: str, say: Callable[[str], None] = lambda text: None) -> dict[str, str]:
    """Write the run's page and the list. A fault here is told and never fails the ingest, which has committed.

    Returns:
        Facts for the run log: ``report`` (path below the home), or ``report_error``.
    """
    try:
        with _writing(settings):
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
    with _writing(settings):
        return _run(settings, run_id, everything)


def _run(settings: Settings, run_id: str | None, everything: bool) -> Path:
    book = _Book(settings)
    known = [commit["run_id"] for commit in book.runs]
    if run_id is not None and run_id not in known:
        raise ConfigError(
            f"the log has no ingest run {run_id!r}", where=str(settings.log), mend="`dealermart runs` lists them"
        )
    page = None
    for run in known if everything else ([run_id] if run_id else known[-1:]):
        page = book.write(run)
    listed = book.write_list()
    return page if page and not everything else listed


def _writing(settings: Settings) -> AbstractContextManager[None]:
    """Write pages alone: who writes the list last has read the log last. The warehouse's lock is not needed for it."""
    path = settings.reports / ".lock"
    busy = LockError("other pages are being written", where=str(path), mend="run `dealermart report` later")
    return alone(path, busy, _PATIENCE_SECONDS)


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
        self.contracts = load_contracts(settings)
        self.company: Company = load_yaml(settings.company_file, Company)
        self._profiles: dict[str, Profile | None] = {}
        self._found: dict[str, dict[Key, Found]] = {}
        self._template = _template()

    def write(self, run_id: str) -> Path | None:
        """The page of a run with its pages of checks; None where the run took nothing in and so has no commit."""
        index = next((place for place, commit in enumerate(self.runs) if commit["run_id"] == run_id), None)
        if index is None:
            return None
        commit = self.runs[index]
        before = [other for other in self.runs[:index] if other["source"] == commit["source"]]
        seen = Log(tuple(other for other in self.log.commits if other["seq"] <= commit["seq"]))
        folder = path_of(self.settings, run_id).parent
        judged = self._checks(commit)
        pages = _check_pages(judged, commit)
        for feed, page in pages.items():
            write_text(folder / f"{feed}.html", page)
        results = sorted(files_of(commit), key=by_trouble)
        page = self._template.render(
            page="run",
            company=self.company,
            commit=commit,
            profile=self._profile(commit["source"]),
            results=results,
            total={name: sum(file.get(name) or 0 for file in results) for name in COUNTS},
            status={
                name: sum(file["status"] == name for file in results)
                for name in ("accepted", "duplicate", "refused", "unrecognised")
            },
            apart=self._apart(results),
            failures=self._failures(commit, before),
            changed=changed(commit, before[-1] if before else None),
            moved=[delivery for delivery in commit["deliveries"] if delivery["status"] in MOVED],
            drift=[(file["file"], file["feed"], file["drift"]) for file in results if file.get("drift")],
            fresh=self._fresh(seen, [commit["source"]]),
            today=seen.received,
            checks=pages,
            feed_name=self._feed_name,
            newer=next((other["run_id"] for other in self.runs[index + 1 :]), None),
            older=self.runs[index - 1]["run_id"] if index else None,
        )
        write_text(path_of(self.settings, run_id), _clean(page))
        return path_of(self.settings, run_id)

    def write_list(self) -> Path:
        """The list of runs, newest first, with the freshness of every source and what failed without a commit."""
        path = self.settings.reports / "index.html"
        known = {other["run_id"] for other in self.runs}
        heard = sorted({other["source"] for other in self.runs})
        page = self._template.render(
            page="list",
            company=self.company,
            runs=[self._line(commit) for commit in reversed(self.runs[-LISTED:])],
            more=max(0, len(self.runs) - LISTED),
            failed=[
                run
                for run in reversed(read_runs(self.settings)[-LISTED:])
                if run["command"] == "ingest" and run["status"] in ("failed", "killed") and run["run_id"] not in known
            ],
            fresh=self._fresh(self.log, heard),
            silent=[source for source in source_names(self.settings) if source not in heard],
            today=self.log.received,
            feed_name=self._feed_name,
        )
        write_text(path, _clean(page))
        return path

    def _line(self, commit: dict[str, Any]) -> dict[str, Any]:
        results = files_of(commit)
        return {
            "commit": commit,
            "files": len(results),
            "trouble": sum(file["status"] in TROUBLE for file in results),
            "again": sum(file["status"] == "duplicate" for file in results),
            **{name: sum(file.get(name) or 0 for file in results) for name in COUNTS},
        }

    # ------------------------------------------------------------------------------------------ names

    def _profile(self, source: str) -> Profile | None:
        """The source's profile as it is now; None where it is gone or broken: a page of the past does without."""
        if source not in self._profiles:
            try:
                self._profiles[source] = load_profile(self.settings, source, self.contracts)
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

    def _failed(self, commit: dict[str, Any]) -> dict[Key, Found]:
        """All that failed in a run: what is in quarantine, and rules that report only or judge the table as a whole."""
        if commit["run_id"] in self._found:
            return self._found[commit["run_id"]]
        found: dict[Key, Found] = {}
        judged = self._checks(commit)
        severity = {(outcome["feed"], outcome["rule"]): outcome["severity"] for outcome in judged}
        for file in files_of(commit):
            for fault in file["faults"]:
                feed, stage, rule = str(file["feed"]), fault["stage"], fault["rule"]
                # A check is known by its rule; reading and mapping know no rule, only a reason.
                key = (feed, stage, rule, "" if stage == "check" else fault["reason"])
                part = found.setdefault(key, Found(0, severity.get((feed, rule), "warning"), fault["reason"]))
                part.rows = (part.rows or 0) + fault["rows"]
                part.files.add(file["file"])
        for rule in judged:
            key = (rule["feed"], "check", rule["rule"], "")
            if key not in found and (rule["failed"] or not rule["success"]):
                found[key] = Found(rule["failed"], rule["severity"], rule["description"])
        self._found[commit["run_id"]] = found = folded(found)
        return found

    def _failures(self, commit: dict[str, Any], before: Sequence[dict[str, Any]]) -> list[Failure]:
        """What failed in this run or in one of those before it that a trend shows; present faults first."""
        failures = []
        for feed in dict.fromkeys(str(file["feed"]) for file in files_of(commit) if file["records"] is not None):
            runs = [other for other in (*before, commit) if read_feed(other, feed)][-TREND:]
            texts: dict[Key, Found] = {}
            for other in runs:
                texts |= {key: found for key, found in self._failed(other).items() if key[0] == feed}
            for key, last in texts.items():
                trend = []
                for other in runs:
                    found = self._failed(other).get(key)
                    mapped = key[1] == "check"
                    trend.append(Point(other["received"], found.rows if found else 0, rows_of(other, feed, mapped)))
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
            key=lambda failure: (
                failure.now.rows == 0,
                ORDER.get(failure.severity, 1),
                failure.feed,
                -(failure.now.rows or 0),
                failure.rule,
            ),
        )

    def _apart(self, results: Iterable[dict[str, Any]]) -> list[tuple[str, str, int]]:
        """Rows that a select sets apart as no record of the feed: feed, reason, rows."""
        found: dict[Key, Found] = {}
        for file in results:
            for reason, rows in file["apart"].items():
                part = found.setdefault((str(file["feed"]), "apart", "", reason), Found(0, "", reason))
                part.rows = (part.rows or 0) + rows
        return [(key[0], part.reason, part.rows or 0) for key, part in folded(found).items()]

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
            for delivery in log.deliveries():
                # Content that came before is no news, but the source is not silent.
                if (
                    delivery["source"] == source
                    and delivery["status"] in ("accepted", "duplicate")
                    and delivery.get("entry")
                ):
                    received, event = last.get(delivery["entry"], (None, None))
                    last[delivery["entry"]] = (
                        later(received, delivery["received"]),
                        later(event, delivery.get("latest_event")),
                    )
            for spec in profile.files:
                received, event = last.get(spec.name, (None, None))
                days = (today - dt.date.fromisoformat(received)).days if today and received else None
                feed = spec.feed or f"{source}.{spec.name}"
                rows.append(Fresh(source, spec.name, feed, received, event, days, spec.silence_days))
        return rows


# ---------------------------------------------------------------------------------------------- words


def _clean(page: str) -> str:
    """Without characters that no page may hold: control characters, and bytes of file names that are no UTF-8."""
    return re.sub(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff\ufffe\uffff]", "\ufffd", page)


@cache  # to compile it takes as long as to write a page
def _template() -> Any:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("dealermart.report"),
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
    from dealermart.report.rules import check_page

    feeds = dict.fromkeys(outcome["feed"] for outcome in judged)
    return {
        feed: _clean(check_page(feed, [outcome for outcome in judged if outcome["feed"] == feed], commit))
        for feed in feeds
    }
