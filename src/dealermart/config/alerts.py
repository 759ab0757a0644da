"""Who is told when something goes wrong: ``config/alerts.yml``."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import Field, model_validator

from dealermart.base import Settings
from dealermart.config.contracts import Name
from dealermart.config.yamlfile import Strict, load_yaml

AlertKind = Literal[
    "run_failed",
    "files_refused",
    "feed_late",
    "ledger_unbalanced",
    "publication_late",
    "run_missing",
    "approval_waits",
]

ALERT_KINDS: tuple[AlertKind, ...] = get_args(AlertKind)

Whole = Annotated[int, Field(ge=1)]


class Channel(Strict):
    """Somebody who is told. The address is a secret and stands in the environment or in Airflow."""

    language: Literal["en", "zh"] = "en"


class Deadlines(Strict):
    """Minutes from the moment at which a run of Airflow was queued until it should have ended."""

    ingest: Whole = 120
    build_marts: Whole = 240
    publish: Whole = 60


class Alerts(Strict):
    """The alerts file. What is left out of ``tell`` is told to nobody, and shown by ``dealermart alerts`` all the same.

    Attributes:
        owner: Shown as the owner of every DAG.
        ingest_every_hours: A source that is in use is ingested at least so often, files or not.
        publish_within_hours: Within which new rows are in the published copies.
        remind_after_hours: After which an alert that still holds is told again.
    """

    owner: str = "data engineering"
    channels: dict[Name, Channel] = {}
    tell: dict[AlertKind, tuple[Name, ...]] = {}
    ingest_every_hours: Whole = 26
    publish_within_hours: Whole = 6
    remind_after_hours: Whole = 24
    deadline_minutes: Deadlines = Deadlines()

    @model_validator(mode="after")
    def _channels_are_there(self) -> Alerts:
        named = {name for names in self.tell.values() for name in names}
        if unknown := sorted(named - self.channels.keys()):
            raise ValueError(f"tell names {', '.join(unknown)}, which is none of channels")
        return self


def load_alerts(settings: Settings) -> Alerts:
    """The alerts file of the config folder; without one nobody is told.

    Raises:
        ConfigError: it is broken.
    """
    path = settings.config / "alerts.yml"
    return load_yaml(path, Alerts) if path.is_file() else Alerts()
