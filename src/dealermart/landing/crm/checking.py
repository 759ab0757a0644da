"""Whether a CRM can be read, in plain words: credentials, scopes, objects and fields, credits, clocks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from dealermart.base import ConfigError, DealermartError, FetchError
from dealermart.config import Crm, CrmObject, Profile
from dealermart.landing.crm.fxiaoke import Fxiaoke
from dealermart.landing.crm.zoho import Zoho
from dealermart.landing.crm.zoho_fields import fields

_SKEW = 60.0  # seconds; windows are cut by the server's clock, so this is only told


@dataclass(frozen=True)
class Looked:
    """What was found, as (whether it is well, in words)."""

    found: tuple[tuple[bool, str], ...]

    @property
    def is_well(self) -> bool:
        """Whether all can be read."""
        return all(well for well, _ in self.found)


def look(profile: Profile, client: Zoho | Fxiaoke) -> Looked:
    """Ask for all that a pull needs, a record of each at most.

    Raises:
        ConfigError: it cannot be entered at all. FetchError: it does not answer.
    """
    assert profile.crm is not None
    crm, found = profile.crm, list[tuple[bool, str]]()
    now = client.now()
    found.append((True, f"{client.login.base_url} answers, and takes the credentials"))
    skew = client.clock.now() - now.timestamp()
    words = (
        "agree"
        if abs(skew) <= _SKEW
        else f"differ by {abs(skew):.0f} seconds; the server's is used, so nothing is lost"
    )
    found.append((True, f"the clocks of this machine and of the server {words}"))
    for name, kept in crm.lists.items():

        def listed(name: str = name, kept: tuple[str, ...] = kept) -> str:
            return f"{len(client.listed(name, kept)):,} can be read"

        found.append(_tried(f"{name}: ", listed))
    if isinstance(client, Zoho):
        found += _zoho(crm, client, now)
    else:
        found += _fxiaoke(crm, client, now)
    return Looked(tuple(found))


def _zoho(crm: Crm, client: Zoho, now: dt.datetime) -> list[tuple[bool, str]]:
    found = []
    for item in crm.objects:

        def seen(item: CrmObject = item) -> str:
            _, about = client.call(
                "GET", "/crm/v8/settings/fields", "fields", params={"module": item.name}, rows=("fields",)
            )
            known = {str(field["api_name"]) for _, field in about}
            if unknown := [name for name in fields(item) if name not in known and name != "id"]:
                raise ConfigError(f"there are no fields {', '.join(unknown)}")
            by = client.tried(item, now)
            client.deleted(item, now)
            return f"{len(fields(item))} fields can be read by {by}; deletions too"

        found.append(_tried(f"{item.name}: ", seen))
    left = client.credits_left
    words = "more than half of the day's credits are left" if left is None else f"{left:,} credits are left"
    found.append((True, f"{words}; reading stops below {crm.leave_credits:,}"))
    return found


def _fxiaoke(crm: Crm, client: Fxiaoke, now: dt.datetime) -> list[tuple[bool, str]]:
    found = []
    for item in crm.objects:

        def seen(item: CrmObject = item) -> str:
            known = set(client.described(item.name))
            if known and (unknown := [name for name in item.fields if name not in known]):
                raise ConfigError(f"there are no fields {', '.join(unknown)}")
            read = client.tried(item, now)
            return f"{'records' if read else 'no record yet, or none that this user sees,'} can be read"

        found.append(_tried(f"{item.name}: ", seen))
    found.append((True, "Fxiaoke does not say how many calls are left of the day's pack"))
    return found


def _tried(head: str, do: Callable[[], str]) -> tuple[bool, str]:
    """A test that may fail without hindering the others."""
    try:
        return True, head + do()
    except FetchError:
        raise
    except DealermartError as error:
        mend = f" ({error.mend})" if error.mend else ""
        return False, f"{head}{error.what}{mend}"
