"""The airflow DAG that looks every quarter of an hour for what nobody was told: late, missing, failed, unbalanced."""

from datetime import datetime

from airflow.sdk import CronTriggerTimetable, dag, task
from approvals import answered
from channels import addresses

from care import care, note


@dag(
    schedule=CronTriggerTimetable("*/15 * * * *", timezone="UTC"),
    start_date=datetime(2020, 1, 1),
    catchup=False,
    max_active_runs=1,
    **care("watch", "watch"),
)
def watch():
    @task
    def look(ti) -> dict:
        """Looks at run log, lake and profiles, and tells what is new to those whom the alerts file names."""
        from dealermart import alerts, base

        config = base.load_settings()
        told = alerts.look(config, addresses=addresses(), say=print, over=answered(ti))
        said = [f"{alert.kind}: {alert.text('en')}" for alert in told.alerts]
        sent = [f"told to {channel}: {len(of)}" for channel, of in told.sent.items()]
        note(config, ti, *sent, *said or ["nothing to tell"])
        told.raise_for_failed()
        return {channel: len(of) for channel, of in told.sent.items()}

    look()


watch_dag = watch()
