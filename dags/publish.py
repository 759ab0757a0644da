"""The airflow DAG that swaps in new served copies, one per audience, after each build."""

from contextlib import suppress
from datetime import datetime

from airflow.sdk import Connection, dag, task
from airflow.sdk.exceptions import AirflowNotFoundException

from assets import MARTS, WAREHOUSE_TASK, started_by
from care import RULES, care, note


@dag(
    schedule=started_by(MARTS),
    start_date=datetime(2020, 1, 1),
    catchup=False,
    max_active_runs=1,
    **care("publish", "warehouse", minutes=RULES.deadline_minutes.publish),
)
def publish():
    @task(**WAREHOUSE_TASK)
    def publish(ti) -> dict:
        """Swaps in new copies of the marts, one per audience."""
        from dealermart import base, publish

        config = base.load_settings()
        address = None  # from the environment
        with suppress(AirflowNotFoundException):
            address = Connection.get("dealermart_postgres").get_uri()
        result = publish.run(config, say=print, postgres=address)
        rows = {audience: sum(tables.values()) for audience, tables in result.audiences.items()}
        said = [f"{name}: {len(result.audiences[name]):,} tables, {count:,} rows" for name, count in rows.items()]
        said += [f"PostgreSQL {name}: {len(tables):,} tables" for name, tables in result.postgres.items()]
        note(config, ti, *said, f"in: {result.path}", f"run: {result.run_id}")
        return rows

    publish()


publish_dag = publish()
