"""The airflow DAG that erases values of persons whose retention is over, once a month."""

from airflow.sdk import dag, task
from airflow.sdk.exceptions import AirflowSkipException

from assets import WAREHOUSE_TASK
from monthly import monthly


@dag(
    **monthly("0 4 3 * *"),  # the third of the month, at night: the lake was compacted the night before
    catchup=False,
    max_active_runs=1,
    tags=["warehouse"],
    doc_md="Erases what `retention_months` of the company file says, and renews marts and copies where anything went.",
)
def retention():
    @task(**WAREHOUSE_TASK)
    def erase() -> dict:
        from dealermart import base, upkeep

        result = upkeep.erase_by_retention(base.load_settings(), say=print)
        if result is None:
            raise AirflowSkipException("no feed has a retention")
        return result.rows

    erase()


retention_dag = retention()
