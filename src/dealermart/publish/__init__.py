"""Served copies of the marts, swapped in one step for each audience.

Who may see a table or column is said in dbt's yml (``meta``); a new kind of copy is a module here.
"""

from dealermart.publish.served import FILE, run

__all__ = [
    "FILE",
    "run",
]
