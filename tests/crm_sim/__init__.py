"""Simulators of two CRM systems' APIs, for tests and for `make crm-sim`: Zoho CRM v8 and Fxiaoke Open API v2.

They are written from a reference of the protocols alone and share no code with the clients they test.
"""

from tests.crm_sim.clock import Clock
from tests.crm_sim.fxiaoke import Fxiaoke
from tests.crm_sim.zoho import Zoho

__all__ = ["Clock", "Fxiaoke", "Zoho"]
