"""The airflow DAG that starts ingest when files arrive: it fetches from other places and looks into the inboxes."""

from contextlib import suppress
from datetime import datetime

from airflow.sdk import Asset, AssetOrTimeSchedule, AssetWatcher, Connection, CronTriggerTimetable, dag, task
from airflow.sdk.exceptions import AirflowNotFoundException, AirflowSkipException, DagRunTriggerException
from arrival_trigger import ArrivalTrigger

from care import care, note
from crm_pull import FILED, RETRY

LOOK = AssetWatcher(name="look", trigger=ArrivalTrigger(FILED))
INBOX = Asset("inbox", uri="x-dealermart://inbox", watchers=[LOOK])
AND_GO_ON = {"skip_when_already_exists": True, "reset_dag_run": False, "deferrable": False}
AND_GO_ON |= {"wait_for_completion": False, "allowed_states": [], "failed_states": [], "poke_interval": 60}


@dag(
    schedule=AssetOrTimeSchedule(timetable=CronTriggerTimetable("*/10 * * * *", timezone="UTC"), assets=[INBOX]),
    start_date=datetime(2020, 1, 1),
    catchup=False,
    max_active_runs=1,
    **care("arrivals", "ingest"),
)
def arrivals():
    @task(retries=3, retry_policy=RETRY, doc_md="Brings new files into the inbox; they wake the watcher.")
    def fetch(source: str, ti=None) -> None:
        from dealermart import base, landing

        config, options = base.load_settings(), None  # from the environment
        with suppress(AirflowNotFoundException):
            known = Connection.get(f"dealermart_{source}")
            options = landing.options_of(known.login, known.password, known.extra_dejson)
        got = landing.fetch(config, source, options, say=print)
        note(config, ti, f"{source}: {len(got.fetched):,} files fetched, {len(got.left):,} left", *got.left)

    @task
    def look() -> list[dict]:
        """Finds dates that have files for which no run was started yet."""
        from dealermart import base, landing

        if due := [item.as_dict() for source in FILED for item in landing.due(base.load_settings(), source)]:
            return due
        raise AirflowSkipException("nothing waits")

    @task(retries=3, retry_policy=RETRY, max_active_tis_per_dagrun=1, doc_md="Starts one run per date, in their order.")
    def start(due: dict) -> None:
        # Its id names the very files, so that a second try starts no second run.
        from dealermart import base, landing

        landing.tell(base.load_settings(), landing.Due.from_dict(due))
        to = {"trigger_dag_id": f"ingest_{due['source']}", "dag_run_id": f"arrival__{due['received']}__{due['mark']}"}
        raise DagRunTriggerException(conf={"received": due["received"]}, **to, **AND_GO_ON)

    fetch.expand(source=FILED)
    start.expand(due=look())


arrivals_dag = arrivals()
