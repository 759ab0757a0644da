"""Served copies of the marts: files swapped by a link, and PostgreSQL with a schema per audience.

Who may see a table, a column or a row is said in dbt's yml (``meta``); what that means is in ``marts``, ``shape`` and
``roles``. A new kind of copy is a module here, called in ``run``.
"""

from dealermart.publish.marts import Fault, faults_of
from dealermart.publish.postgres import give_password
from dealermart.publish.roles import ROLES
from dealermart.publish.run import PublishResult, run
from dealermart.publish.served import FILE
from dealermart.publish.server import Server

__all__ = [
    "FILE",
    "ROLES",
    "Fault",
    "PublishResult",
    "Server",
    "faults_of",
    "give_password",
    "run",
]
