"""The airflow DAG that builds the marts from the whole lake, whichever source brought something new."""

from datetime import UTC, datetime, timedelta

from airflow.sdk import dag, task
from airflow.sdk.exceptions import AirflowSkipException

from assets import LANDED, MARTS, SOURCES, WAITING, WAREHOUSE_TASK, WHOLE, started_by
from care import RULES, care, note
from forms import as_of, build_form

PATIENCE = timedelta(minutes=10)


@dag(
    schedule=started_by(*LANDED.values()),
    start_date=datetime(2020, 1, 1),
    catchup=False,
    max_active_runs=1,
    params=build_form(),
    **care("build_marts", "warehouse", minutes=RULES.deadline_minutes.build_marts),
)
def build_marts():
    @task.sensor(mode="reschedule", poke_interval=5)
    def settle(dag_run, ti) -> bool:
        """Waits while dates are still being taken in, so that a backfill starts one build; not longer than PATIENCE."""
        unfinished = [*WAITING, "running"]
        coming = sum(ti.get_ti_count(f"ingest_{source}", task_ids=["ingest"], states=unfinished) for source in SOURCES)
        return not coming or datetime.now(UTC) - dag_run.start_date > PATIENCE

    @task(**WAREHOUSE_TASK, outlets=[MARTS])
    def build(ti, dag_run, outlet_events) -> dict:
        """Builds the fiscal months that new rows or changed config touch, and tests the marts."""
        from dealermart import base, warehouse

        config, past = base.load_settings(), as_of(dag_run)
        result = warehouse.run(config, past, full=bool((dag_run.conf or {}).get("full")), say=print)
        # Tried again: the try before may have died between the build and its event, so the event is sent now.
        if result.skipped and ti.try_number == 1:
            raise AirflowSkipException("nothing new since the last build")
        if past is None:  # a past moment has a warehouse of its own, and is not published
            outlet_events[MARTS].add_partitions(WHOLE)
        made = f"models: {result.models:,} built, {result.tests:,} tests passed, as of {result.as_of}"
        months = "all" if result.full else result.months
        note(config, ti, made, f"fiscal months: {months}", f"in: {result.warehouse}", f"run: {result.run_id}")
        return {"run_id": result.run_id, "models": result.models, "tests": result.tests, "seconds": result.seconds}

    settle() >> build()


build_marts_dag = build_marts()
