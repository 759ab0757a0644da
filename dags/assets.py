"""What the DAGs share, declared once: sources, assets, the pool, the retry rule and the partition of an airflow run."""

from datetime import date, timedelta

from airflow.sdk import (
    Asset,
    AssetAny,
    ExceptionRetryPolicy,
    FixedKeyMapper,
    PartitionedAssetTimetable,
    RetryAction,
    RetryRule,
)
from airflow.sdk.exceptions import AirflowFailException

from dealermart import base, config

# One ingest DAG per folder of config/sources. The profile is not read here: a broken one fails its own runs only.
SOURCES = tuple(name for name in config.source_names(base.load_settings()) if name.isidentifier())
POOL = "warehouse"  # one slot: DuckDB takes one writer
WHOLE = "whole"  # the one partition of everything behind the ingest DAGs
WAITING = ["null", "scheduled", "queued", "up_for_retry", "up_for_reschedule"]  # states of a task that will still begin
LANDED = {source: Asset(f"{source}_landed", uri=f"x-dealermart://lake/{source}") for source in SOURCES}
MARTS = Asset("marts", uri="x-dealermart://warehouse/marts")

# A held lock and a broken line mend themselves; whatever else went wrong would fail again, so it fails at once.
OURS = ["dealermart.base.errors.LockError", "dealermart.base.errors.FetchError"]
PASSING = [*OURS, ConnectionError, TimeoutError, "httpx.TransportError"]
AGAIN = RetryRule(exception=PASSING, retry_delay=timedelta(seconds=30), reason="lock or network")
RETRY = ExceptionRetryPolicy(rules=[AGAIN], default=RetryAction.FAIL)
WAREHOUSE_TASK = {"pool": POOL, "retries": 5, "retry_policy": RETRY, "retry_delay": timedelta(seconds=10)}


def started_by(*assets: Asset) -> PartitionedAssetTimetable:
    """Any event of ``assets`` starts a run, whatever received date it names.

    A plain ``schedule=[asset]`` never starts: Airflow does not hand events that carry a partition key to it.
    """
    return PartitionedAssetTimetable(assets=AssetAny(*assets), default_partition_mapper=FixedKeyMapper(WHOLE))


def resolve_partition(dag_run) -> date:
    """The received date an ingest run is for: its partition key, else ``received`` of its configuration.

    Raises:
        AirflowFailException: neither is given, or it is not a date written 2026-03-02; trying again cannot help.
    """
    text = dag_run.partition_key or (dag_run.conf or {}).get("received")
    if not text:
        raise AirflowFailException(
            "this run names no received date: trigger it with a partition key such as 2026-03-02, "
            'or with the configuration {"received": "2026-03-02"}'
        )
    try:
        received = date.fromisoformat(text)
    except (TypeError, ValueError):
        received = None
    if received is None or received.isoformat() != text:
        raise AirflowFailException(f"the received date {text!r} of this run is not a date written like 2026-03-02")
    return received
