"""Quarantined rows on their way into the lake: taken up when what they wait for has come, mapped again when their file
comes again and the profile is another one, released by a person, and all of it again when the lake is rebuilt.

A row that a check held back is what its select made of it at receipt, as the quarantine file keeps it, unless it is
another profile that maps it. A row that the select rejected is mapped again with what is known now. Either keeps the
delivery, file, row and date that it came with.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import duckdb

from dealermart import lake, landing, mapping, readers
from dealermart.base import BalanceError, ConfigError, Workspace, literal, quoted, sync, typed_sql, workspace
from dealermart.checks import Suite
from dealermart.config import Contract, FileSpec, load_profile, profile_sql
from dealermart.ingest.batch import DELIVERY_TABLE
from dealermart.ingest.gate import judged
from dealermart.ingest.job import Batch, Job
from dealermart.ingest.judge import Judge, Rejects, masters_first
from dealermart.ingest.known import SAME_DELIVERY, Known
from dealermart.ingest.source import Source
from dealermart.lake import FileResult, Log, Quarantine

TAKEN_UP, RELEASED, MAPPED_AGAIN = "taken_up", "released", "mapped_again"

_KEY = ", ".join(lake.ROW_KEY)


@dataclass
class Moved:
    """What was moved: lake files, what changed in the ledger per delivery and feed, and the file of decisions."""

    files: list[dict[str, Any]] = field(default_factory=list)
    results: list[tuple[str, FileResult]] = field(default_factory=list)  # with the source
    decisions: str | None = None

    def add_to(self, entry: dict[str, Any]) -> None:
        """Write it into the commit in the making."""
        entry["files"] = [*entry["files"], *self.files]
        entry["deliveries"] += [asdict(result) | {"source": source} for source, result in self.results]
        entry["decisions"] = self.decisions

    def rows(self, delivery_id: str, feed: str | None) -> int:
        """How many rows of a delivery were moved."""
        own = [result for _, result in self.results if (result.delivery_id, result.feed) == (delivery_id, feed)]
        return sum((result.accepted or 0) + (result.duplicate or 0) for result in own)


@dataclass(frozen=True)
class Anew:
    """Deliveries that came again, whose rows in quarantine were made by another profile than today's.

    Attributes:
        deliveries: Delivery and feed.
        profile_hash: Of today's profile.
    """

    source: str
    deliveries: frozenset[tuple[str, str]]
    profile_hash: str


def take_up(
    job: Job, suites: Mapping[str, Suite], judge: Judge, say: Callable[[str], None], anew: Anew | None = None
) -> Moved:
    """Judge again the rows that wait for what this commit brought, and those that another profile may map better; those
    that pass become rows of the lake."""
    grown = {file["feed"] for file in job.log.commits[-1]["files"]}
    reached = _reached(job.log, grown | {feed for _, feed in anew.deliveries} if anew else grown)
    feeds = {feed for _, feed in anew.deliveries} if anew else set()
    paths = job.quarantine_paths(
        lambda entry: _can_wait(entry, reached) or (entry["feed"] in feeds and entry["stage"] != "read")
    )
    if not (grown or anew) or not paths:
        return Moved()
    with releaser(job, paths) as rows:
        if anew:
            grown |= rows.map_again(anew, judge, say)
        rows.take_up(grown, suites, judge, say)
        return rows.finish()


def moved_by(entry: dict[str, Any]) -> str | None:
    """How the rows of a lake file of a commit came out of the quarantine, or None where they were delivered."""
    labels = (RELEASED, TAKEN_UP, MAPPED_AGAIN)
    return next((label for label in labels if entry["path"].endswith(f"-{label}.parquet")), None)


def repeat(job: Job, entries: Iterable[dict[str, Any]], decided: Path) -> Moved:
    """Move again what the decisions of a commit say, without judging: for a rebuild.

    Args:
        entries: The lake files of the commit, in its order.

    Raises:
        ConfigError: a row that was moved then is no longer mapped.
    """
    with releaser(job, job.quarantine_paths(lambda entry: True)) as rows:
        rows.con.execute(f"create table again as {typed_sql(lake.DECISION_COLUMNS, [decided])}")
        for entry in entries:
            if (label := moved_by(entry)) is None:
                continue
            feed = entry["feed"]
            chosen = f"select {_KEY} from again where decision = {literal(label)} and feed = {literal(feed)}"
            wanted = rows.con.execute(f"select count(*) from ({chosen})").fetchall()[0][0]
            moved = rows.move(feed, f"({_KEY}) in ({chosen})", nothing_fails, label)
            if moved != wanted:
                raise ConfigError(
                    f"{wanted - moved} of {wanted} rows of {feed} that were {label.replace('_', ' ')} then are no "
                    "longer mapped",
                    where=f"log/{decided.parent.name}/{decided.name}",
                    mend="a profile was changed; bring back what maps them: what was accepted belongs to the past",
                )
        return rows.finish(keep=False)


@contextmanager
def releaser(job: Job, paths: Iterable[Path]) -> Iterator[Releaser]:
    """A workspace with the rows of quarantine files (``lake.load_held``), to move some of them."""
    home = job.settings
    readable = {home.log, home.landing, home.pending, job.lake, job.quarantine, *asdict(job.folders).values()}
    with workspace(job.home, f"{job.run_id}-quarantine", *readable) as space:
        lake.load_held(space.con, job.log, home.log, paths)
        yield Releaser(space, job)


class Releaser:
    """Moves rows from quarantine to the lake, feed by feed."""

    def __init__(self, space: Workspace, job: Job) -> None:
        self.con, self.space, self.job = space.con, space, job
        last = job.log.commits[-1]
        self._done = Batch(files=list(last["files"]))
        self._before = len(self._done.files)
        self._results: list[tuple[str, FileResult]] = []
        # The files of the commit in the making are this run's own: they are in the batch.
        before = replace(job, log=Log((*job.log.commits[:-1], {**last, "files": []})))
        self._known = Known(self.con, before, self._done, "", f"{SAME_DELIVERY} and delivery.source = passed._from")
        self.con.execute(DELIVERY_TABLE)
        self.con.execute("create table moved as select *, '' as label, false as is_repeat from held where false")

    def map_again(self, anew: Anew, judge: Judge, say: Callable[[str], None]) -> set[str]:
        """Map the rows of deliveries by the profile of today and move those that pass; gives the feeds that grew."""
        lake.find_states(self.con, self.job.settings, self.job.contracts, Log(self.job.log.commits[:-1]))
        self.con.execute("create table unsettled (delivery_id varchar, feed varchar)")
        self.con.executemany("insert into unsettled values (?, ?)", [list(pair) for pair in sorted(anew.deliveries)])
        where = f"""
            stage <> 'read' and ({_KEY}) in (
                select {_KEY} from state semi join unsettled using (delivery_id, feed)
                where source = {literal(anew.source)} and state in ('open', 'waiting')
            )
        """
        grown: set[str] = set()
        for feed in self.feeds(where):
            if moved := self.move(feed, where, judge, MAPPED_AGAIN, say):
                say(f"{feed}: {moved} row{'s' if moved > 1 else ''} taken up by the profile of today")
                grown.add(feed)
        for _, result in self._results:
            result.profile_hash = anew.profile_hash
        return grown

    def take_up(self, grown: set[str], suites: Mapping[str, Suite], judge: Judge, say: Callable[[str], None]) -> None:
        """Move the waiting rows for which what they wait for is there now, masters first."""
        for feed in self.feeds(_WAITING):
            # A row that was rejected by its select has not met the checks yet, and may wait for what they ask for.
            met = f"len(list_intersect(string_split(waits_for, ','), {_texts(grown)})) > 0"
            if suites[feed].waits_for & grown:
                met = f"(stage = 'map' or {met})"
            if moved := self.move(feed, f"{_WAITING} and {met}", judge, TAKEN_UP, say):
                say(f"{feed}: {moved} row{'s' if moved > 1 else ''} taken up from quarantine")
                grown.add(feed)

    def feeds(self, where: str) -> list[str]:
        """Feeds of the rows that ``where`` selects, masters first."""
        waits: dict[str, set[str]] = {}
        for feed, waited in self.con.execute(f"""
            select distinct feed, unnest(string_split(coalesce(waits_for, ''), ',')) from held
            where {where} order by all
        """).fetchall():
            waits.setdefault(feed, set()).add(waited)
        return masters_first(waits, waits)

    def move(self, feed: str, where: str, judge: Judge, label: str, say: Callable[[str], None] | None = None) -> int:
        """Move the rows of a feed that ``where`` selects, that map and that the judge lets pass.

        Args:
            say: Told of sources whose config is broken; their rows are passed over. Without it that is an error.

        Returns:
            Number of rows moved.
        """
        con, contract = self.con, self.job.contracts.get(feed)
        con.execute(f"create table moving as select * from held where feed = {literal(feed)} and ({where})")
        try:
            if contract is None or not con.execute("select count(*) from moving").fetchall()[0][0]:
                return 0
            con.execute("""
                insert into delivery
                select distinct 0, source, delivery_id, source_file, received
                from moving anti join delivery using (source, delivery_id)
            """)
            self._known.current_views()
            self._gather(contract, say, "true" if label == MAPPED_AGAIN else "stage = 'map'")
            self._known.suffix = f"-{label}"
            with judged(self._known, contract, judge, {}):
                return self._note(feed, label)
        finally:
            con.execute("drop table moving; drop table if exists numbered")

    def finish(self, by: str = "", reason: str = "", keep: bool = True) -> Moved:
        """Sync what was written and keep the decisions beside the log.

        Args:
            by: Who released rows, and why.
            keep: False where the decisions stand there already.
        """
        made = self._done.files[self._before :]
        for file in made:
            sync(self.job.folders.lake / file["path"])
        moved = Moved(made, self._results)
        if keep and self.con.execute("select count(*) from moved").fetchall()[0][0]:
            moved.decisions = lake.keep_decisions(
                self.con,
                self.job.home,
                self.space.folder,
                self.job.run_id,
                lake.decision_sql("label", "moved", self.job.at, by, reason),
            )
        return moved

    def _gather(self, contract: Contract, say: Callable[[str], None] | None, again: str) -> None:
        """Table ``batch``: the rows that are moving, typed.

        Args:
            again: SQL for rows of ``moving`` that are mapped from their record, and not taken as they were mapped then.
        """
        con, names = self.con, ", ".join(map(quoted, contract.names))
        con.execute(f"""
            create table gathered as
            select {lake.mapped_sql(contract)}, source as _from, delivery_id as _delivery_id,
                row_number as _row_number, row_part as _row_part
            from moving where stage <> 'read' and not ({again})
        """)
        self._take_erased(contract, again)
        con.execute(f"""
            create table unmapped as
            select moving.* from moving anti join gathered on gathered._from = moving.source
                and gathered._delivery_id = moving.delivery_id and gathered._row_number = moving.row_number
                and gathered._row_part = moving.row_part
            where {again}
        """)
        for (source,) in con.execute("select distinct source from unmapped order by 1").fetchall():
            try:
                self._map_again(source, contract)
            except ConfigError as error:
                if say is None:
                    raise
                say(f"rows of {source} stay in quarantine: {error}")
        con.execute(f"""
            create temp table numbered as
            select
                row_number() over (order by received, _from, _delivery_id, _row_number, _row_part) as _row_id,
                {names}, _is_deleted, _from, _delivery_id, _row_number, _row_part,
                {mapping.row_hash(contract)} as _row_hash
            from gathered join delivery on delivery.source = _from and delivery.delivery_id = _delivery_id;
            create temp view batch as from numbered;
            drop table gathered; drop table unmapped
        """)

    def _take_erased(self, contract: Contract, again: str) -> None:
        """Insert into ``gathered`` the rows whose raw text was erased after they had left the quarantine."""
        con = self.con
        for source, received, delivery_id in con.execute(
            f"select distinct source, received, delivery_id from moving where {again}"
        ).fetchall():
            for folder in landing.erased_folders(self.job.settings, source, received.isoformat(), delivery_id):
                path = folder / "moved.parquet"
                rows = landing.erased_sql(contract, [path] if path.exists() else [])
                names = ", ".join(map(quoted, contract.names))
                con.execute(f"""
                    insert into gathered
                    select {names}, _is_deleted, {literal(source)}, _delivery_id, _row_number, _row_part
                    from ({rows}) as kept
                    semi join (select * from moving where ({again}) and source = {literal(source)}) as moving
                        on moving.delivery_id = kept._delivery_id and moving.row_number = kept._row_number
                            and moving.row_part = kept._row_part
                """)

    def _map_again(self, source: str, contract: Contract) -> None:
        """Insert into ``gathered`` the rows of a source that were rejected and map now."""
        con, job = self.con, self.job
        profile = load_profile(job.settings, source, job.contracts)
        rejected = f"from unmapped where source = {literal(source)}"
        specs: dict[FileSpec, list[str]] = {}
        for (file,) in con.execute(f"select distinct source_file {rejected} order by 1").fetchall():
            if (spec := profile.spec_for(file, contract.feed)) is not None:
                specs.setdefault(spec, []).append(file)
        quarantine = Quarantine(con, job.folders.quarantine, job.run_id, source)
        reader = Source(self._known, self.space.folder, profile, quarantine)
        made = [reference.name for reference in profile.references]
        try:
            for reference in profile.references:
                reader.reference(reference, [])
            for spec, of_spec in specs.items():
                path, sql = profile_sql(job.settings, source, spec)
                mapping.check_single_rows(con, path, sql, spec)
                made += [spec.name, f"mapped_{spec.name}"]
                self._raw(spec, f"{rejected} and source_file in ({', '.join(map(literal, of_spec))})")
                reader.map(spec, contract)
                names = ", ".join(f"m.{quoted(name)}" for name in contract.names)
                con.execute(f"""
                    insert into gathered
                    select {names}, m._is_deleted, {literal(source)}, m._delivery_id, m._row_number, m._row_part
                    from mapped_{spec.name} as m
                    semi join (select * {rejected}) as r
                        on r.delivery_id = m._delivery_id and r.row_number = m._row_number and r.row_part = m._row_part
                    where m._reject_reason is null and m._structural is null
                """)
        finally:
            for name in made:
                readers.drop(con, name)

    def _raw(self, spec: FileSpec, rejected: str) -> None:
        """The raw table of an entry, from the records in quarantine."""
        con = self.con
        keys = con.execute(f'select distinct unnest(json_keys("row")) {rejected} order by 1').fetchall()
        kinds = {name: "BIGINT" if name == "_row_number" else "VARCHAR" for (name,) in keys}
        struct = json.dumps(kinds, ensure_ascii=False)
        con.execute(f"""
            create table {spec.name} as
            {readers.shape(spec)} union all by name
            select unnest(json_transform(record, {literal(struct)}))
            from (select any_value("row") as record {rejected} group by delivery_id, row_number)
        """)

    def _note(self, feed: str, label: str) -> int:
        """Keep what was moved, as decisions and as changes of the ledger; gives the number of rows."""
        con = self.con
        moved: int = con.execute(f"""
            insert into moved
            select moving.*, {literal(label)} as label, repeated._row_id is not null as is_repeat
            from passed
            join moving on moving.source = passed._from and moving.delivery_id = passed._delivery_id
                and moving.row_number = passed._row_number and moving.row_part = passed._row_part
            left join repeated on repeated._row_id = passed._row_id
        """).fetchall()[0][0]
        con.execute(f"delete from held where ({_KEY}) in (select {_KEY} from moved)")
        written = self._done.files[-1]["rows"] if moved else 0
        if written != moved:
            raise BalanceError(
                f"{moved} rows of {feed} were to leave the quarantine and {written} arrived in the lake",
                mend="report this as a fault of the program; nothing was committed",
            )
        for source, delivery_id, file, received, checked, mapped, repeats in con.execute(f"""
            select source, delivery_id, source_file, received, count(*) filter (stage = 'check'),
                count(*) filter (stage = 'map'), count(*) filter (is_repeat)
            from moved where feed = {literal(feed)} and label = {literal(label)}
            group by source, delivery_id, source_file, received order by all
        """).fetchall():
            result = FileResult(
                file,
                delivery_id,
                feed,
                RELEASED if label == RELEASED else TAKEN_UP,
                records=0,
                structural=0,
                rejected=-mapped,
                mapped=mapped,
                accepted=checked + mapped - repeats,
                quarantined=-checked,
                duplicate=repeats,
                received=received.isoformat(),
            )
            result.check()
            self._results.append((source, result))
        return moved


_WAITING = "waits_for is not null and decision is null"


def nothing_fails(con: duckdb.DuckDBPyConnection, feed: str, table: str, rejects: dict[str, Rejects]) -> dict[str, str]:
    """The judge of rows on which has been decided."""
    return {}


def _can_wait(entry: dict[str, Any], reached: set[str]) -> bool:
    """Whether a quarantine file can hold rows that go on once the feeds ``reached`` have grown."""
    return bool(set(waits := entry.get("waits_for", [])) & reached or (waits and entry["stage"] == "map"))


def _reached(log: Log, grown: set[str]) -> set[str]:
    """``grown`` and every feed of which rows may be taken up in consequence."""
    entries = [entry for commit in log.commits for entry in commit["quarantine"]]
    reached, size = set(grown), -1
    while size != len(reached):
        size = len(reached)
        reached |= {entry["feed"] for entry in entries if _can_wait(entry, reached)}
    return reached


def _texts(texts: Iterable[str]) -> str:
    return f"[{', '.join(map(literal, sorted(texts)))}]"
