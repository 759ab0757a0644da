"""From landed files to accepted, quarantined and refused rows: the part of ingestion that a rebuild repeats.

A batch is what one source delivered in one run. Nothing here decides: a judge says which rows fail (the suites when
files arrive, the recorded verdicts when the lake is rebuilt). Every count is checked before anything is returned.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from dealermart.base import Workspace, sync
from dealermart.config import Contract, FileSpec, Profile
from dealermart.ingest.count import count, keep_verdicts, withhold
from dealermart.ingest.gate import judged
from dealermart.ingest.job import Batch, Eraser, Job
from dealermart.ingest.judge import Judge, feeds_of
from dealermart.ingest.known import Known
from dealermart.ingest.source import Source
from dealermart.lake import Quarantine
from dealermart.landing import Delivery

DELIVERY_TABLE = (
    "create table delivery (ordinal integer, source varchar, delivery_id varchar, source_file varchar, received date)"
)


def process(
    space: Workspace,
    job: Job,
    profile: Profile,
    deliveries: Sequence[tuple[Delivery, FileSpec]],
    judge: Judge,
    order: Sequence[str] = (),
    say: Callable[[str], None] = lambda text: None,
    eraser: Eraser | None = None,
) -> Batch:
    """Read, map, judge and write a batch.

    Args:
        job: Its log ends before this batch; references and current rows are looked up as of it.
        deliveries: The files, each with its kind, in the order of receipt.
        judge: Says which rows fail.
        order: Feeds in the order in which they are processed; by default that of the profile.
        eraser: Looks for values of a person, where that is why a batch is repeated.

    Raises:
        ConfigError: the profile is broken.
        BalanceError: rows went missing.
        CheckCrashed: a check could not be run.
    """
    con, batch = space.con, Batch()
    place = {delivery.delivery_id: ordinal for ordinal, (delivery, _) in enumerate(deliveries)}
    con.execute(DELIVERY_TABLE)
    con.executemany(
        "insert into delivery values (?, ?, ?, ?, ?)",
        [
            [place[delivery.delivery_id], profile.source, delivery.delivery_id, delivery.source_file, delivery.received]
            for delivery, _ in deliveries
        ],
    )
    quarantine = Quarantine(con, job.folders.quarantine, job.run_id, profile.source)
    known = Known(con, job, batch, profile.source)
    source = Source(known, space.folder, profile, quarantine, eraser)
    for spec in profile.references:
        source.reference(spec, [delivery for delivery, kind in deliveries if kind is spec])
    for feed in dict.fromkeys((*order, *feeds_of(profile))):
        of_feed = [(delivery, spec) for delivery, spec in deliveries if spec.feed == feed]
        if of_feed:
            say(f"{feed}: {len(of_feed)} file{'s' if len(of_feed) > 1 else ''}")
            _feed(source, job.contracts[feed], of_feed, judge)
    faults = quarantine.faults()
    batch.quarantine = quarantine.files
    batch.results.sort(key=lambda result: place[result.delivery_id])
    for result in batch.results:
        result.check()
        result.faults = faults.get(result.delivery_id, [])
    for file in batch.files:
        sync(job.folders.lake / file["path"])
    return batch


def _feed(source: Source, contract: Contract, deliveries: list[tuple[Delivery, FileSpec]], judge: Judge) -> None:
    """Read, map and judge all files of one feed; write its lake and quarantine files."""
    known = source.known
    known.current_views()
    with source.feed(contract, deliveries) as tables:
        if tables is None:
            return
        known.arriving = {contract.feed: tuple(source.receipts(tables))}
        with judged(known, contract, judge, source.rejects(tables), tables.same) as refused:
            withhold(source, tables)
            for spec in tables.specs:
                for stage in ("read", "map", "check"):
                    source.quarantine.add(
                        contract.feed, spec.name, stage, columns=contract.names, waits=source.profile.waits(spec)
                    )
            keep_verdicts(source, tables)
            count(source, tables, refused)
        known.arriving = {}
