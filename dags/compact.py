"""The airflow DAG that merges the lake's small files once a month; not a row changes."""

from airflow.sdk import dag, task

from assets import WAREHOUSE_TASK
from care import care, note
from monthly import monthly


@dag(
    **monthly("0 3 2 * *"),  # the second of the month, at night: the month before has been received
    catchup=False,
    max_active_runs=1,
    **care("compact", "warehouse"),
)
def compact():
    @task(**WAREHOUSE_TASK)
    def compact(ti) -> dict:
        """Merges the lake's files into one per feed and month of receipt."""
        from dealermart import base, upkeep

        config = base.load_settings()
        result = upkeep.compact(config, say=print)
        note(config, ti, f"files: {result.replaced:,} became {result.made:,}, {result.deleted:,} old ones deleted")
        return {"made": result.made, "replaced": result.replaced, "deleted": result.deleted}

    compact()


compact_dag = compact()
