"""The airflow DAG that closes a period, after a person has looked at its gates and approved."""

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import Param, dag, task
from airflow.sdk.exceptions import AirflowFailException
from alerting import ApprovalWaits

from assets import WAREHOUSE_TASK
from care import care, note

WHY = Param("", type="string", title="Reason", description="Why it is closed now; it stands in the closed folder")
WAIVE = Param([], type="array", items={"type": "string"}, title="Waive", description="Gates that may stay unpassed")
WAIVE_WHY = Param("", type="string", title="Reason of the waivers", description="Why these gates may stay unpassed")


@dag(
    schedule=None,  # somebody decides when
    params={
        "kind": Param("pay", type="string", title="Kind", description="pay or review"),
        "period": Param("", type="string", title="Period", description="Fiscal period, such as 2026-M03 or 2026-Q1"),
        "new_version": Param(False, type="boolean", title="New version", description="Of a review closed before"),
    },
    max_active_runs=1,
    **care("close_period", "warehouse"),
)
def close_period():
    @task(**WAREHOUSE_TASK)
    def gates(params, ti) -> str:
        """The gates in words; red where one is shut that nobody may waive."""
        from dealermart import base, closing

        found = closing.examine(config := base.load_settings(), closing.asked_of(params))
        note(config, ti, text := "\n".join(f"- **{gate.name}** {gate.state}: {gate.text}" for gate in found))
        if any(gate.state == closing.SHUT for gate in found):
            raise AirflowFailException(f"this period cannot be closed:\n{text}")
        return text

    approve = ApprovalOperator(
        task_id="approve",
        subject="Close {{ params.kind }} of {{ params.period }}",
        body="{{ ti.xcom_pull(task_ids='gates') }}\n\nWhat is closed is never changed. Give a reason.",
        params={"reason": WHY, "waive": WAIVE, "waive_reason": WAIVE_WHY},
        notifiers=ApprovalWaits("closing {{ params.kind }} of {{ params.period }}"),
        doc_md="Waits until a person approves with a reason, or rejects.",
    )

    @task(**WAREHOUSE_TASK)
    def close(params, answer, ti) -> dict:
        """Closes the period in the name of who approved."""
        from dealermart import base, closing

        asked = closing.asked_of(params, answer["params_input"], by=answer["responded_by_user"]["name"])
        done = closing.close(config := base.load_settings(), asked, say=print)
        note(config, ti, f"closed: {done.folder}", f"by: {asked.by}", f"hash: {done.hash}")
        return {"folder": done.folder, "hash": done.hash}

    gates() >> approve >> close(answer=approve.output)


close_period_dag = close_period()
