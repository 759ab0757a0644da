"""The airflow DAG that swaps in new served copies, one per audience, after each build."""

from contextlib import suppress
from datetime import datetime

from airflow.sdk import Connection, dag, task
from airflow.sdk.exceptions import AirflowNotFoundException

from assets import MARTS, WAREHOUSE_TASK, started_by


@dag(
    schedule=started_by(MARTS),
    start_date=datetime(2020, 1, 1),
    catchup=False,
    max_active_runs=1,
    tags=["warehouse"],
    doc_md="Writes `published/<audience>/` and PostgreSQL; readers see the old copy until the new one is whole.",
)
def publish():
    @task(**WAREHOUSE_TASK)
    def publish() -> dict:
        from dealermart import base, publish

        address = None  # from the environment
        with suppress(AirflowNotFoundException):
            address = Connection.get("dealermart_postgres").get_uri()
        result = publish.run(base.load_settings(), say=print, postgres=address)
        return {audience: sum(tables.values()) for audience, tables in result.audiences.items()}

    publish()


publish_dag = publish()
