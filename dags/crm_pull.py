"""When an airflow DAG of a source runs and for which date; what those of CRM systems have more: a task that pulls."""

from contextlib import suppress
from copy import deepcopy
from datetime import date

from airflow.sdk import Connection, CronPartitionTimetable, CronTriggerTimetable, Param, task
from airflow.sdk.exceptions import AirflowNotFoundException, AirflowSkipException

from assets import RETRY, SOURCES, resolve_partition
from care import note
from dealermart import base, config
from forms import ingest_form

CRMS = tuple(name for name in config.crm_source_names(base.load_settings()) if name in SOURCES)
FILED = [source for source in SOURCES if source not in CRMS]
DAILY = CronPartitionTimetable("0 0 * * *", timezone="UTC", run_offset=-1, key_format="%Y-%m-%d")
HOURLY = CronTriggerTimetable("15 * * * *", timezone="UTC")
MOMENT = {"type": ["null", "string"], "format": "date-time"}
PARAMS = {  # what is read besides what is due: a window of changes once more, or all ids
    "since": Param(None, **MOMENT, title="Changed since"),
    "until": Param(None, **MOMENT, title="Changed before"),
    "sweep": Param(False, type="boolean", title="Compare all ids"),
}


def times(source: str) -> dict:
    """Of files at midnight UTC the day that has ended; of a CRM each hour."""
    schedule, params = (HOURLY, PARAMS) if source in CRMS else (DAILY, ingest_form())
    return {"schedule": schedule, "params": deepcopy(params)}


def begin(source: str, first) -> None:
    """Let a task that reads a CRM into the inbox come first; one slot, because a vendor counts what runs at once."""

    @task(pool=f"crm_{source}", retries=3, retry_policy=RETRY)
    def pull(dag_run, ti) -> str:
        """The received date under which it lies."""
        from dealermart import landing

        entry = None  # from the environment
        with suppress(AirflowNotFoundException):
            known = Connection.get(f"dealermart_{source}")
            entry = landing.crm_entry_of(known.host, known.login, known.password, known.extra_dejson)
        if not landing.crm_is_entered(settings := base.load_settings(), source, entry):
            raise AirflowSkipException(f"no credentials of {source} were ever given; docs/crm.md says how")
        received = landing.company_today(settings).isoformat()
        got = landing.fetch(settings, source, entry, say=print, asked=landing.asked_of(dag_run.conf or {}))
        note(settings, ti, f"received date: {received}", f"files of records: {len(got.fetched):,}", *got.left)
        return received

    if source in CRMS:
        pull() >> first


def received_date(dag_run, ti, source: str) -> date:
    """The received date that a run is for: that of what it pulled, or of a run of files."""
    if source in CRMS:
        return date.fromisoformat(ti.xcom_pull(task_ids="pull"))
    return resolve_partition(dag_run)
