"""The forms that airflow shows when a dag is started by hand, and what was filled in."""

from datetime import UTC, datetime

from airflow.sdk import Param
from airflow.sdk.exceptions import AirflowFailException


def _text(title: str, about: str, **more) -> Param:
    """A field that may be left empty."""
    return Param(None, type=["null", "string"], title=title, description_md=about, **more)


def ingest_form() -> dict:
    rule = "Takes files that this rule refuses; the report of the run names it. Leave it empty otherwise."
    return {
        "received": _text("Received date", "The folder under `inbox/<source>/`, such as 2026-03-02.", format="date"),
        "override": _text("Rule to override", rule),
        "file": _text("Files", "Only these of them, a name or pattern such as `sales_*.csv`; empty: all."),
        "by": _text("Decided by", "Who decides so. The decision log keeps it."),
        "reason": _text("Reason", "Why it is so decided. The decision log keeps it."),
    }


def build_form() -> dict:
    past = (
        "Builds the state of a past moment beside the main warehouse and publishes nothing; empty: all that is known."
    )
    every = "Build every month, whatever changed."
    return {
        "as_of": _text("As of (UTC)", past, format="date-time"),
        "full": Param(False, type="boolean", title="Every month", description_md=every),
    }


def overrides(dag_run) -> list:
    """What the form decides about files that are refused."""
    from dealermart.ingest import Override

    conf = dag_run.conf or {}
    if not conf.get("override"):
        return []
    return [Override(conf["override"], conf.get("by") or "", conf.get("reason") or "", conf.get("file") or "*")]


def as_of(dag_run) -> datetime | None:
    """The moment of the form in UTC, without zone.

    Raises:
        AirflowFailException: it is none.
    """
    if not (said := (dag_run.conf or {}).get("as_of")):
        return None
    try:
        moment = datetime.fromisoformat(said)
    except (TypeError, ValueError):
        raise AirflowFailException(f"as_of {said!r} is no moment written like 2026-03-02T18:00:00") from None
    return (moment if moment.tzinfo is None else moment.astimezone(UTC)).replace(tzinfo=None)
