"""The airflow DAG that merges the lake's small files once a month; not a row changes."""

from airflow.sdk import dag, task

from assets import WAREHOUSE_TASK
from monthly import monthly


@dag(
    **monthly("0 3 2 * *"),  # the second of the month, at night: the month before has been received
    catchup=False,
    max_active_runs=1,
    tags=["warehouse"],
    doc_md="Merges the lake's files into one per feed and month of receipt. Starts no build: nothing is new.",
)
def compact():
    @task(**WAREHOUSE_TASK)
    def compact() -> dict:
        from dealermart import base, upkeep

        result = upkeep.compact(base.load_settings(), say=print)
        return {"made": result.made, "replaced": result.replaced, "deleted": result.deleted}

    compact()


compact_dag = compact()
