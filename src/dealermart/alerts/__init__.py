"""What somebody has to be told of, and telling it: failed and missing runs, refused and late files, late marts."""

from dealermart.alerts.find import find
from dealermart.alerts.finding import Alert, approval_waits, dag_failed, deadline_missed
from dealermart.alerts.kept import kept
from dealermart.alerts.send import addresses_of, send_test
from dealermart.alerts.tell import Told, last_look, look

__all__ = [
    "Alert",
    "Told",
    "addresses_of",
    "approval_waits",
    "dag_failed",
    "deadline_missed",
    "find",
    "kept",
    "last_look",
    "look",
    "send_test",
]
