"""One airflow DAG per source system: takes what was dropped for one received date into the lake."""

from datetime import datetime

from airflow.sdk import dag, task
from airflow.sdk.exceptions import AirflowFailException

from assets import LANDED, SOURCES, WAITING, WAREHOUSE_TASK
from care import RULES, care, note
from crm_pull import begin, received_date, times
from forms import overrides


def ingest_dag(source: str):
    @dag(
        dag_id=f"ingest_{source}",
        **times(source),
        start_date=datetime(2020, 1, 1),
        catchup=False,
        max_active_runs=1,  # in the order of receipt: a lookup sees what was known then
        **care("ingest", "ingest", source, minutes=RULES.deadline_minutes.ingest, source=source),
    )
    def ingest_source():
        @task.branch(**WAREHOUSE_TASK, priority_weight=10)  # before a build that waits for the same slot
        def ingest(dag_run, ti) -> list[str]:
            """Takes the files of the received date into the lake."""
            from dealermart import ingest, warehouse
            from dealermart.base import DataError, load_settings

            config, received = load_settings(), received_date(dag_run, ti, source)
            result = ingest.run(config, source, received, say=print, decided=overrides(dag_run))
            note(config, ti, *result.summary())
            follow = []
            # Not "did it commit": after a killed run the next must tell. A build yet to begin reads this commit too.
            if warehouse.pending(config) and not ti.get_ti_count("build_marts", task_ids=["build"], states=WAITING):
                follow.append("announce")
            try:
                result.raise_for_refused()
            except DataError as refused:
                ti.xcom_push(key="refused", value=str(refused))
                follow.append("verdict")
            return follow

        @task(outlets=[LANDED[source]])
        def announce(dag_run, outlet_events, ti=None) -> None:
            """Starts build_marts: the marts are behind the lake."""
            outlet_events[LANDED[source]].add_partitions(received_date(dag_run, ti, source).isoformat())

        @task
        def verdict(ti) -> None:
            """Turns the run red when a file was refused, though the others went through."""
            raise AirflowFailException(ti.xcom_pull(task_ids="ingest", key="refused"))

        begin(source, first := ingest())
        first >> [announce(), verdict()]

    return ingest_source()


globals().update({f"ingest_{source}": ingest_dag(source) for source in SOURCES})
