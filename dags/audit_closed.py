"""The airflow DAG that verifies closed folders, and rebuilds a closed period to compare it bit for bit."""

from airflow.sdk import Param, dag, task
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from assets import WAREHOUSE_TASK
from care import care, note
from monthly import monthly


@dag(
    **monthly("0 5 4 * *"),  # the fourth of the month, at night: after the lake was compacted and persons were erased
    params={
        "kind": Param("pay", type="string", title="Kind", description="pay or review"),
        "period": Param(None, type=["null", "string"], title="Period", description="Default: what was closed last"),
    },
    catchup=False,
    max_active_runs=1,
    **care("audit_closed", "warehouse"),
)
def audit_closed():
    @task(**WAREHOUSE_TASK)
    def verify(ti) -> int:
        """Looks whether every closed folder is as it was closed."""
        from dealermart import base, frozen

        config = base.load_settings()
        if flaws := frozen.verify(config):
            raise AirflowFailException("\n".join(map(str, flaws)))
        count = len(frozen.chain(config))
        note(config, ti, f"closed folders: {count:,}, each as it was closed")
        return count

    @task(**WAREHOUSE_TASK)
    def rebuild(params, ti) -> dict:
        """Builds a closed period again from landing and compares it."""
        from dealermart import base, upkeep

        config = base.load_settings()
        asked = (params["kind"], params["period"]) if params["period"] else upkeep.latest_closed(config)
        if asked is None:
            raise AirflowSkipException("nothing is closed yet")
        kind, period = asked
        done = upkeep.audit(config, period, kind, say=print)
        found = [f"differences: {len(done.differences):,}", *map(str, done.differences)] if not done.is_same else []
        note(config, ti, f"rebuilt: {done.folder}, {sum(done.rows.values()):,} rows", *found or ["it is the same"])
        if not done.is_same:
            raise AirflowFailException(f"{done.folder} comes out otherwise than it was closed")
        return done.rows

    verify() >> rebuild()


audit_closed_dag = audit_closed()
