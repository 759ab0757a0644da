"""Which approvals, of those that somebody was told of, wait no more. A plugin, like what tells of them."""


def answered(ti):
    """Keys of the approvals told so far that wait no more: answered, timed out, cleared, or their run was deleted."""
    from dealermart import alerts, base

    over = []
    for alert in alerts.kept(base.load_settings()):
        if alert.kind == "approval_waits":
            _, dag_id, run_id, task_id = alert.key.split()
            states = ti.get_task_states(dag_id, task_ids=[task_id], run_ids=[run_id])
            if states.get(run_id, {}).get(task_id) not in ("running", "deferred", "awaiting_input"):
                over.append(alert.key)
    return over
