"""Airflow as a program on this machine: the demonstration and ``make up``. Airflow itself is never imported."""

from dealermart.demo.demo import run, settings_for, shown
from dealermart.demo.reader import closing_words
from dealermart.demo.scheduler import Standalone, note

__all__ = [
    "Standalone",
    "closing_words",
    "note",
    "run",
    "settings_for",
    "shown",
]
