"""The lake as a run sees it: the files of earlier commits and those that the run itself has written so far."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import duckdb

from dealermart import checks, lake
from dealermart.base import FORMAT, literal
from dealermart.config import Contract
from dealermart.ingest.job import Batch, Job
from dealermart.lake import KnownReceipts, Receipt

# Of a row that passes, to its delivery in the table of that name.
SAME_DELIVERY = "delivery.delivery_id = passed._delivery_id"


class Known:
    """What may be looked up while a batch is taken, and what the batch writes.

    Args:
        source: Whose batch it is; of rows of many sources nothing.
        same_delivery: SQL that ties a row of ``passed`` to its delivery.
    """

    def __init__(
        self, con: duckdb.DuckDBPyConnection, job: Job, batch: Batch, source: str, same_delivery: str = SAME_DELIVERY
    ) -> None:
        self.con, self.job, self.batch, self.source, self.same_delivery = con, job, batch, source, same_delivery
        self.suffix = ""  # of the lake files' names
        self.arriving: dict[str, tuple[Receipt, ...]] = {}
        self._views: dict[str, tuple[list[Path], KnownReceipts]] = {}

    def current_views(self) -> None:
        """``feed_<feed>``: the current rows of every feed, those accepted earlier in this run included;
        ``known_<feed>``: all its rows."""
        for name, contract in self.job.contracts.items():
            paths, told = self.paths(name), self.told(name)
            if self._views.get(name) == (paths, told):  # to define a view opens every file of it
                continue
            current, every = checks.views(name)
            rows = lake.rows_sql(contract, paths)
            self.con.execute(f"create or replace view {current} as {lake.current_sql(contract, paths, told)}")
            self.con.execute(f"create or replace view {every} as select * from ({rows}) where not _is_deleted")
            self._views[name] = paths, told

    def offer(self, contract: Contract) -> None:
        """Put the rows of the batch that nothing speaks against so far into the views of their own feed."""
        offered = f"""
            select passed.*, delivery.source as _source, delivery.received as _received_date
            from passed join delivery on {self.same_delivery}
        """
        current, every = checks.views(contract.feed)
        paths, told = self.paths(contract.feed), self.told(contract.feed)
        rows = lake.rows_sql(contract, paths, None, offered)
        self.con.execute(f"create or replace view {current} as {lake.current_sql(contract, paths, told, offered)}")
        self.con.execute(f"create or replace view {every} as select * from ({rows}) where not _is_deleted")
        self._views.pop(contract.feed, None)

    def told(self, feed: str) -> KnownReceipts:
        """What is known of a feed besides its rows, this run included."""
        own = [asdict(result) | {"source": self.source} for result in self.batch.results if result.feed == feed]
        receipts = lake.receipts_of([*self.job.log.of_feed(feed), *own]) + self.arriving.get(feed, ())
        return KnownReceipts(receipts, tuple(self.paths(lake.withheld(feed))))

    def paths(self, feed: str) -> list[Path]:
        """The lake files of a feed (or of a reference, as ``source.name``), this run's included."""
        new = [file["path"] for file in self.batch.files if file["feed"] == feed]
        return [self.job.lake / path for path in self.job.log.files(feed)] + [
            self.job.folders.lake / path for path in new
        ]

    def write(self, feed: str, select: str) -> None:
        """Write the rows of a select as this run's lake file of a feed."""
        name = f"{feed}/{self.job.run_id}{self.suffix}.parquet"
        path = self.job.folders.lake / name
        path.parent.mkdir(parents=True, exist_ok=True)
        copy = f"copy ({select}) to {literal(str(path))} ({FORMAT})"
        self.batch.files.append({"feed": feed, "path": name, "rows": self.con.execute(copy).fetchall()[0][0]})
