"""Airflow as a program on this machine: the demonstration and ``make up``. Airflow itself is never imported."""

from dealermart.demo.demo import run, settings_for, shown
from dealermart.demo.scheduler import Standalone

__all__ = [
    "Standalone",
    "run",
    "settings_for",
    "shown",
]
