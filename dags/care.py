"""What every airflow dag has for those who run it: an owner, a page for when it is red, alerts, deadlines, notes."""

from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from airflow.sdk import AsyncCallback, Connection, DeadlineAlert, DeadlineReference
from airflow.sdk.exceptions import AirflowNotFoundException
from alerting import RunFailed, deadline_missed

from dealermart import base, config

PAGES = Path(__file__).with_name("pages")

try:
    RULES = config.load_alerts(base.load_settings())
except base.ConfigError:  # `dealermart alerts` and the DAG watch say so; nothing else stands still for it
    RULES = config.Alerts()


def care(page: str, *tags: str, minutes: int | None = None, **words: str) -> dict:
    """Arguments of a DAG.

    Args:
        page: File of ``pages`` that says what it does and what to do when it is red; ``words`` stand in it in braces.
        minutes: Until when a run should have ended, from the moment at which it was queued.
    """
    text = (PAGES / f"{page}.md").read_text("utf-8")
    for name, word in words.items():
        text = text.replace(f"{{{name}}}", word)
    found = {
        "doc_md": text,
        "tags": [*tags, f"owner:{RULES.owner}"],
        "default_args": {"owner": RULES.owner},
        "on_failure_callback": RunFailed(),
    }
    if minutes:
        late = AsyncCallback(deadline_missed, {"minutes": minutes})
        found["deadline"] = DeadlineAlert(DeadlineReference.DAGRUN_QUEUED_AT, timedelta(minutes=minutes), late)
    return found


def note(config, ti, *lines: str) -> None:
    """Print what a task did and set it as its note: counts, and where more is told."""
    from dealermart import demo

    print(text := "\n".join(line for line in lines if line))
    demo.note(config, ti, text, say=print, elsewhere=_elsewhere)


def _elsewhere() -> tuple[str, str, str] | None:
    """Address, login and password of the API of an Airflow that `make up` did not start."""
    with suppress(AirflowNotFoundException):
        known = Connection.get("dealermart_airflow")
        return known.host or "", known.login or "", known.password or ""
    return None
