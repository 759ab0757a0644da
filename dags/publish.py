"""The airflow DAG that swaps in new served copies, one per audience, after each build."""

from dataclasses import replace
from datetime import datetime

from airflow.sdk import dag, task

from assets import MARTS, WAREHOUSE_TASK, published_to, started_by


@dag(
    schedule=started_by(MARTS),
    start_date=datetime(2020, 1, 1),
    catchup=False,
    max_active_runs=1,
    tags=["warehouse"],
    doc_md="Writes `published/<audience>/` and PostgreSQL from the warehouse; readers see the old copy until the new one is whole.",
)
def publish():
    @task(**WAREHOUSE_TASK)
    def publish() -> dict:
        from dealermart import base, publish

        config = base.load_settings()
        result = publish.run(replace(config, postgres=published_to(config.postgres)), say=print)
        return {audience: sum(tables.values()) for audience, tables in result.audiences.items()}

    publish()


publish_dag = publish()
