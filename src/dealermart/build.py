"""Build the marts: prepare the warehouse's inputs, run dbt once, keep what was built as the new watermark.

Inputs are the lake as of a moment, the config and the last fiscal month; nothing here reads the clock but the run log.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb

from dealermart import checks, contracts, dbt, files, lake, lock, runlog
from dealermart import compile as config_compiler
from dealermart.company import Company
from dealermart.contracts import Contract
from dealermart.errors import BuildError, ConfigError
from dealermart.lake import LEDGER, Log, literal, quoted
from dealermart.settings import Settings

# Feeds that models kept by fiscal month read. All other models are made anew in every build, from monthly sums.
BY_MONTH = ("sales", "dealers", "team_members", "products", "assignments", "fx_rates")


@dataclass(frozen=True)
class BuildResult:
    """What a build did. ``skipped``: the marts held all of the lake already."""

    run_id: str
    skipped: bool
    full: bool = False
    months: int = 0
    models: int = 0
    tests: int = 0
    seconds: float = 0.0
    as_of: str = ""
    period_end: str = ""
    warehouse: Path | None = None


def run(
    settings: Settings,
    as_of: dt.datetime | None = None,
    period: str | None = None,
    full: bool = False,
    say: Callable[[str], None] = lambda text: None,
) -> BuildResult:
    """Bring the marts up to the lake.

    Args:
        as_of: Rows learnt after this moment (UTC, without zone) are not seen; by default all are. A moment before the
            latest commit builds a warehouse of its own beside the main one.
        period: Last fiscal month to build, such as ``2026-M03``; by default the one of the latest received date.
        full: Build every month, whatever changed.

    Raises:
        BuildError: nothing was ingested yet, dbt failed or a test on the marts did. ConfigError: config is broken.
        LockError: another process is at work.
    """
    known = contracts.load_all(settings)
    with (
        runlog.record(settings, "build", as_of=as_of, period=period, full=full or None) as entry,
        lock.warehouse(settings, "build", say=say) as held,
    ):
        lake.recover(settings)
        log = lake.read(settings)
        if log.ingested_at is None:
            raise BuildError("nothing was ingested yet", where=str(settings.home), mend="run `dealermart ingest` first")
        gone = lake.missing_files(settings, log)
        if gone:
            raise BuildError(
                f"{len(gone)} lake files that the log names are gone",
                where=str(gone[0]),
                mend="run `dealermart rebuild`",
            )
        moment = min(as_of.isoformat(sep=" ", timespec="microseconds"), log.ingested_at) if as_of else log.ingested_at
        if moment < log.ingested_at:
            settings = replace(settings, warehouse_override=_past_warehouse(settings, moment))
        seen = log.until(moment)
        if seen.received is None:
            raise BuildError(
                "nothing was known at that moment",
                where=f"--as-of {moment}",
                mend=f"give a later one: the first commit is of {log.commits[0]['ingested_at']}",
            )
        company = config_compiler.load_config(settings).company
        end = _period_end(settings, company, seen.received, period)
        hashes = (
            config_compiler.config_hash(settings)
            | {"code": _code_hash(settings)}
            | {f"feed {name}": one.hash for name, one in known.items()}
        )
        wanted = {"seq": log.news, "as_of": moment, "period_end": end.isoformat(), "hashes": hashes}
        state = _State.read(settings)
        if state.done == wanted and not state.attempt and not full and settings.warehouse.exists():
            entry.note(skipped=True, as_of=moment, period_end=end.isoformat())
            return BuildResult(
                entry.run_id, True, as_of=moment, period_end=end.isoformat(), warehouse=settings.warehouse
            )
        base = None if full else state.base(wanted, settings)
        if base is not None and lake.missing_files(settings, log.before(base["seq"])):
            base = None  # compacted twice since: what the rows were then is not there to compare with
        state.start(settings, wanted if base is None else {**wanted, "from": base["seq"]})
        con, is_new = _open(settings)
        try:
            if is_new and base is not None:  # said before dbt writes: what goes on from nothing is a full build
                base = None
                state.start(settings, wanted)
            _prepare(con, settings, known, log, seen, end)
            months = _dirty_months(con, settings, known, log, base, end)
        finally:
            con.close()
        say(f"build: {'all' if base is None else months} fiscal months to {end}, as of {moment}")
        start = runlog.now()
        inputs = {
            "as_of": moment,
            "as_of_date": _day_at(moment, company.time_zone).isoformat(),
            "received_until": seen.received,
            "period_end": end.isoformat(),
        }
        result = dbt.build(settings, held, inputs, full=base is None, say=say)
        seconds = round((runlog.now() - start).total_seconds(), 1)
        entry.note(
            **inputs,
            full=base is None,
            months=months,
            dbt=result.summary(),
            lake_seq=log.news,
            warehouse=str(settings.warehouse),
        )
        result.raise_for_failures()
        say("checking the marts")
        entry.note(mart_checks=check_marts(settings))
        state.finish(settings, wanted)
        return BuildResult(
            entry.run_id,
            False,
            base is None,
            months,
            result.models,
            result.tests,
            seconds,
            moment,
            end.isoformat(),
            settings.warehouse,
        )


def check_marts(settings: Settings) -> dict[str, int]:
    """Judge the marts by their suites (``expectations/marts``).

    Returns:
        Rows that fail a rule that is not critical, by mart and rule.

    Raises:
        BuildError: a critical rule failed; nothing of this build is published.
    """
    con = duckdb.connect(str(settings.warehouse), read_only=True, config={"memory_limit": settings.memory_limit})
    notes: dict[str, int] = {}
    faults: list[str] = []
    try:
        for path in sorted((settings.expectations / "marts").glob("*.json")):
            relation = f"marts.{path.stem}"
            columns = {name: kind for name, kind, *_ in con.execute(f"describe {relation}").fetchall()}
            suite = checks.load_suite(path, columns)
            texts = {rule.rule: rule.description for rule in suite.rules}
            for outcome in checks.run(con, relation, suite):
                if outcome.severity == "critical" and not outcome.success:
                    count = f" ({outcome.failed} of {outcome.rows} rows)" if outcome.failed is not None else ""
                    faults.append(f"- {path.stem}, rule {outcome.rule}: {texts[outcome.rule]}{count}")
                elif outcome.failed or not outcome.success:
                    notes[f"{path.stem}.{outcome.rule}"] = outcome.failed or 0
    finally:
        con.close()
    if faults:
        raise BuildError(
            "marts break what they promise:\n" + "\n".join(faults),
            where=str(settings.expectations / "marts"),
            mend="find the cause in the rows of the warehouse; what readers see is still the last good build",
        )
    return notes


def pending(settings: Settings) -> bool:
    """Whether the lake holds what the marts do not, or a build was cut off. Needs no lock."""
    log = lake.read(settings)
    state = _State.read(settings)
    return log.received is not None and (
        state.done is None
        or bool(state.attempt)
        or log.after(state.done["seq"]).has_news
        or not settings.warehouse.exists()
    )


def finished(settings: Settings) -> dict[str, Any]:
    """What the warehouse holds: lake_seq, as_of, period_end.

    Raises:
        BuildError: no build has ended well, or the last one was cut off.
    """
    state = _State.read(settings)
    if state.done is None or state.attempt or not settings.warehouse.exists():
        raise BuildError("there is no finished build", where=str(settings.warehouse), mend="run `dealermart build`")
    return {"lake_seq": state.done["seq"], "as_of": state.done["as_of"], "period_end": state.done["period_end"]}


@dataclass
class _State:
    """The watermark, in a file beside the warehouse. It moves after full success only.

    ``done`` describes the last build that ended well, ``attempt`` one that was started after it and is not known to
    have ended: the warehouse may hold parts of it, which the next build redoes.
    """

    done: dict[str, Any] | None
    attempt: dict[str, Any] | None

    @staticmethod
    def path(settings: Settings) -> Path:
        return settings.warehouse.with_suffix(".state.json")

    @classmethod
    def read(cls, settings: Settings) -> _State:
        try:
            data = json.loads(cls.path(settings).read_text("utf-8"))
        except FileNotFoundError:
            return cls(None, None)
        except ValueError:  # the warehouse can be built anew, so what it holds need not be known
            return cls(None, None)
        return cls(data["done"], data["attempt"])

    def base(self, wanted: dict[str, Any], settings: Settings) -> dict[str, Any] | None:
        """The build to go on from, or None where only a full one is right."""
        done = self.done
        if done is None or not settings.warehouse.exists():
            return None
        if (
            done["hashes"] != wanted["hashes"]
            or done["period_end"] > wanted["period_end"]
            or done["seq"] > wanted["seq"]
            or done["as_of"] > wanted["as_of"]
        ):
            return None
        # What a cut-off attempt wrote is redone only if this build redoes the same months.
        if self.attempt and (
            self.attempt["hashes"] != wanted["hashes"]
            or self.attempt["seq"] > wanted["seq"]
            or self.attempt["period_end"] > wanted["period_end"]
            or "from" not in self.attempt
        ):
            return None
        return done

    def start(self, settings: Settings, attempt: dict[str, Any]) -> None:
        self._write(settings, self.done, attempt)

    def finish(self, settings: Settings, done: dict[str, Any]) -> None:
        self._write(settings, done, None)

    def _write(self, settings: Settings, done: dict[str, Any] | None, attempt: dict[str, Any] | None) -> None:
        files.write_json(self.path(settings), {"done": done, "attempt": attempt})
        self.done, self.attempt = done, attempt


def _open(settings: Settings) -> tuple[duckdb.DuckDBPyConnection, bool]:
    """Open the warehouse for writing; says whether it is a new one.

    One that cannot be read any more is set aside: it can be built anew.
    """
    path = settings.warehouse
    path.parent.mkdir(parents=True, exist_ok=True)
    options = _options(settings)
    try:
        is_new = not path.exists()
        return duckdb.connect(str(path), config=options), is_new
    except duckdb.Error as error:
        if "lock" in str(error).lower():
            raise _open_elsewhere(path) from None
        for damaged in (path, path.with_name(path.name + ".wal")):
            if damaged.exists():
                damaged.rename(damaged.with_name(damaged.name + ".damaged"))
        return duckdb.connect(str(path), config=options), True


def _options(settings: Settings) -> dict[str, Any]:
    return {
        "memory_limit": settings.memory_limit,
        "threads": settings.threads,
        "storage_compatibility_version": "v1.5.0",
        "autoinstall_known_extensions": False,
    }


def _open_elsewhere(path: Path) -> BuildError:
    return BuildError(
        "another program has the warehouse file open",
        where=str(path),
        mend="close it; readers use the served copies under published/",
    )


def relink(settings: Settings, log: Log) -> None:
    """Let the warehouse's views of the lake name the files of today; they show what they showed. Needs the lock.

    Raises:
        BuildError: another program has the warehouse open. A file that cannot be read is left to the next build.
    """
    if not settings.warehouse.exists():
        return
    try:
        con = duckdb.connect(str(settings.warehouse), config=_options(settings))
    except duckdb.Error as error:
        if "lock" in str(error).lower():
            raise _open_elsewhere(settings.warehouse) from None
        return
    try:
        con.execute("begin")
        con.execute("create schema if not exists lake")
        _name_lake_files(con, settings, contracts.load_all(settings), log, log)
        con.execute("commit")
    finally:
        con.close()


def _name_lake_files(
    con: duckdb.DuckDBPyConnection, settings: Settings, known: dict[str, Contract], log: Log, seen: Log
) -> None:
    for name, contract in known.items():
        # What was told later than the moment must not end a row that held then.
        found = lake.rows_sql(contract, log.paths(settings, name), seen.told(settings, name))
        con.execute(f"create or replace view lake.{quoted(name)} as {found}")


def _prepare(
    con: duckdb.DuckDBPyConnection, settings: Settings, known: dict[str, Contract], log: Log, seen: Log, end: dt.date
) -> None:
    """Schemas lake, config and meta: what dbt reads, by explicit lists of files."""
    tables = config_compiler.compile_config(settings, end, con)
    con.execute("begin")
    for schema in ("lake", "config", "meta"):
        con.execute(f"create schema if not exists {schema}")
    _name_lake_files(con, settings, known, log, seen)
    for name, path in tables.items():
        con.execute(f"create or replace view config.{quoted(name)} as select * from read_parquet({literal(str(path))})")
    con.execute(f"create or replace table lake.ledger ({', '.join(f'{name} {kind}' for name, kind in LEDGER.items())})")
    rows = [
        [
            one["delivery_id"],
            one["source"],
            one["file"],
            one["feed"],
            one["received"],
            one["ingested_at"],
            *(one[name] for name in list(LEDGER)[6:]),
        ]
        for one in log.deliveries()
    ]
    if rows:
        con.executemany(f"insert into lake.ledger values ({', '.join('?' * len(LEDGER))})", rows)
    con.execute("commit")


def _dirty_months(
    con: duckdb.DuckDBPyConnection,
    settings: Settings,
    known: dict[str, Contract],
    log: Log,
    base: dict[str, Any] | None,
    end: dt.date,
) -> int:
    """Fill ``meta.dirty_month``: every month whose rows can differ from those of the build ``base``."""
    con.execute("create or replace table meta.dirty_month (month_start date)")
    if base is None:
        con.execute("insert into meta.dirty_month select month_start from config.fiscal_month")
    else:
        old, new = log.before(base["seq"]), log.after(base["seq"])
        spans = [f"select date {literal(base['period_end'])} as first_day, date {literal(end.isoformat())} as last_day"]
        for name in BY_MONTH:
            if not new.of_feed(name):
                continue
            contract = known[name]
            if contract.event_date:
                day = quoted(contract.event_date)
                spans.append(f"select {day}, {day} + 1 from ({_touched_sql(settings, contract, old, log)}) group by 1")
            else:
                # A row of a dated table holds until the next one: everything from its first day on may differ. A
                # snapshot says most rows once more; only those that hold otherwise than before count.
                day = quoted(str(contract.valid_from))
                ends = f", {quoted(contract.valid_to)}" if contract.valid_to else ""
                was, now = (
                    f"select {day}, _row_hash{ends} from "
                    f"({lake.current_sql(contract, one.paths(settings, name), one.told(settings, name))})"
                    for one in (old, log)
                )
                changed = f"(({was}) except ({now})) union all (({now}) except ({was}))"
                spans.append(f"select min({day}), date '9999-12-31' from ({changed}) having count(*) > 0")
        con.execute(f"""
            insert into meta.dirty_month
            select month_start from config.fiscal_month semi join ({" union all ".join(spans)}) as span
                on first_day < month_end and last_day > month_start
        """)
    return int(con.execute("select count(*) from meta.dirty_month").fetchall()[0][0])


def _touched_sql(settings: Settings, contract: Contract, old: Log, log: Log) -> str:
    """SELECT of every version of the keys of an event feed that the commits after ``old`` can have changed.

    All versions count: a correction can take a row from one month to another, and a snapshot can end rows that it does
    not hold.
    """
    name, key = contract.feed, ", ".join(quoted(column) for column in contract.key)
    new = log.after(old.last)
    runs = ", ".join(literal(commit["run_id"]) for commit in new.commits)
    # A compacted file holds old rows beside new ones.
    rows = lake.rows_sql(contract, new.paths(settings, name))
    changed = [f"select {key} from ({rows}) where _run_id in ({runs})"]
    again = log.told(settings, name).changes(old.told(settings, name))
    if again:
        ids = ", ".join(f"({literal(source)}, {literal(delivery)})" for source, delivery in sorted(again))
        changed.append(f"select {key} from lake.{quoted(name)} where (_source, _delivery_id) in ({ids})")
    return f"select * from lake.{quoted(name)} semi join ({' union all '.join(changed)}) using ({key})"


def _period_end(settings: Settings, company: Company, received: str, period: str | None) -> dt.date:
    """First day after the last fiscal month to build."""
    if period is None:
        day = dt.date.fromisoformat(received)
        year, month = day.year, day.month
    else:
        found = re.fullmatch(r"(\d{4})-M(0[1-9]|1[0-2])", period)
        if not found:
            raise ConfigError(
                f"the period {period!r} is no fiscal month", mend="write it like 2026-M03 (fiscal year, fiscal month)"
            )
        # The fiscal year is named by the calendar year in which it ends.
        first = company.fiscal_year_start_month
        if int(found[1]) > 9000:
            raise ConfigError(f"the period {period!r} lies outside of the calendar", mend="write it like 2026-M03")
        number = int(found[1]) * 12 + (first - 1) - (12 if first > 1 else 0) + int(found[2]) - 1
        year, month = number // 12, number % 12 + 1
    end = dt.date(year + month // 12, month % 12 + 1, 1)
    if end <= company.calendar_start:
        raise ConfigError(
            f"the last month to build ends on {end}, before the calendar starts",
            where=str(settings.company_file),
            mend="let calendar_start begin earlier, or give a later --period",
        )
    return end


def _day_at(moment: str, time_zone: str) -> dt.date:
    """The day of a moment (UTC) in a time zone."""
    return dt.datetime.fromisoformat(moment).replace(tzinfo=dt.UTC).astimezone(ZoneInfo(time_zone)).date()


def _past_warehouse(settings: Settings, moment: str) -> Path:
    """A build of the past starts from nothing, in a file of its own."""
    path = settings.home / "warehouse" / f"as-of-{re.sub('[^0-9]', '', moment)}.duckdb"
    for old in path.parent.glob(f"{path.stem}*"):
        old.unlink()
    return path


def _code_hash(settings: Settings) -> str:
    """Changes with any file of the dbt project that decides what is built."""
    digest = hashlib.sha256()
    for folder in ("models", "macros", "seeds"):
        for path in sorted((settings.dbt_project / folder).rglob("*")):
            if path.suffix in (".sql", ".yml", ".csv"):
                digest.update(
                    path.relative_to(settings.dbt_project).as_posix().encode() + b"\0" + path.read_bytes() + b"\0"
                )
    digest.update((settings.dbt_project / "dbt_project.yml").read_bytes())
    return digest.hexdigest()


def forget(settings: Settings) -> None:
    """Drop the warehouse with its watermark; the next build is a full one."""
    shutil.rmtree(settings.warehouse.parent, ignore_errors=True)
