"""The airflow DAG that erases values of persons whose retention is over, once a month."""

from airflow.sdk import dag, task
from airflow.sdk.exceptions import AirflowSkipException

from assets import WAREHOUSE_TASK
from care import care, note
from monthly import monthly


@dag(
    **monthly("0 4 3 * *"),  # the third of the month, at night: the lake was compacted the night before
    catchup=False,
    max_active_runs=1,
    **care("retention", "warehouse"),
)
def retention():
    @task(**WAREHOUSE_TASK)
    def erase(ti) -> dict:
        """Erases values of persons that are older than the company file allows."""
        from dealermart import base, upkeep

        config = base.load_settings()
        result = upkeep.erase_by_retention(config, say=print)
        if result is None:
            raise AirflowSkipException("no feed has a retention")
        note(config, ti, *(f"{feed}: {rows:,} rows" for feed, rows in result.rows.items()))
        return result.rows

    erase()


retention_dag = retention()
