"""When a monthly airflow dag begins: never with a month that had ended before this Airflow was first started."""

from datetime import datetime, timedelta

from airflow.sdk import CronTriggerTimetable, conf

# Said by `make up`. Then a slot that the machine slept through is made up for.
SINCE = conf.get("dealermart", "since", fallback="")


def monthly(cron: str) -> dict:
    """Schedule and beginning of a DAG, in UTC.

    Where nothing says since when, the first slot is one to come: with a date long ago Airflow would run the last one at
    once, and without `run_immediately` up to three days after it. The minutes are for a scheduler that is a bit late.
    """
    timetable = CronTriggerTimetable(cron, timezone="UTC", run_immediately=timedelta(minutes=10))
    return {"schedule": timetable, "start_date": datetime.fromisoformat(SINCE) if SINCE else None}
