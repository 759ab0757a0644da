"""Tells people, from Airflow's callbacks of a dag. A plugin: deadlines are told by the triggerer, which imports it."""

import asyncio
from urllib.parse import quote

from airflow.sdk import BaseNotifier, conf
from channels import addresses, addresses_there


def page_of(dag_id, run_id):
    """Address of a run's page, where Airflow knows its own."""
    base = conf.get("api", "base_url", fallback="").rstrip("/")
    return f"{base}/dags/{dag_id}/runs/{quote(run_id, safe='')}" if base else ""


def tell(alert, known):
    """Send it, and whatever else is new; a fault is told in the log and changes no run. The next look sends it then."""
    from dealermart import alerts, base

    try:
        alerts.look(base.load_settings(), [alert], known, say=print).raise_for_failed()
    except base.DealermartError as error:
        print(error)


class RunFailed(BaseNotifier):
    """``on_failure_callback`` of a DAG: tells that one of its runs is red."""

    def notify(self, context):
        from dealermart import alerts

        # The last task of the run, where Airflow says it; a run that was timed out has none.
        task = context["ti"].task_id if context.get("ti") else ""
        dag_id, run_id = context["dag"].dag_id, context["run_id"]
        tell(alerts.dag_failed(dag_id, run_id, task, page_of(dag_id, run_id)), addresses())


class ApprovalWaits(BaseNotifier):
    """``notifiers`` of an ApprovalOperator: tells that a closing, or what else it asks for, waits for somebody."""

    template_fields = ("subject",)

    def __init__(self, subject=""):
        super().__init__()
        self.subject = subject

    def notify(self, context):
        from dealermart import alerts

        dag_id, run_id, task_id = context["dag"].dag_id, context["run_id"], context["ti"].task_id
        tell(alerts.approval_waits(dag_id, run_id, task_id, self.subject, page_of(dag_id, run_id)), addresses())


async def deadline_missed(context, minutes):
    """Callback of a deadline, in the triggerer."""
    from dealermart import alerts

    dag_id, run_id = context["dag_run"]["dag_id"], context["dag_run"]["dag_run_id"]
    alert = alerts.deadline_missed(dag_id, run_id, minutes, page_of(dag_id, run_id))
    await asyncio.to_thread(tell, alert, await addresses_there())
