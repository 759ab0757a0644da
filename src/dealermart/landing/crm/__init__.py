"""CRM systems whose API is read: one client a vendor, one way from there into the inbox.

``sync`` decides what is read and when it counts as read, ``state`` remembers it, ``zoho`` and ``fxiaoke`` know their
protocols, ``web`` asks. Nothing is ever written to a CRM.
"""

from dealermart.landing.crm.doors import asked_of, check_crm, crm_entry_of, crm_is_entered, pull_crm
from dealermart.landing.crm.sync import Asked

__all__ = ["Asked", "asked_of", "check_crm", "crm_entry_of", "crm_is_entered", "pull_crm"]
