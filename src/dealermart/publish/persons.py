"""Members under codes: who has the key can tell whom a code stands for, and nobody else."""

from __future__ import annotations

import hashlib
import hmac

from dealermart.base import REPO, ConfigError, Settings

_KEY_BYTES = 32
_NOBODY = ("unassigned",)  # of dim_subject: no person


def load_key(settings: Settings) -> bytes:
    """The key by which members are hashed.

    Raises:
        ConfigError: it is not there, too short, open to others, or lies where a backup of data or code holds it too.
    """
    path = settings.person_key
    make = f"make one: `head -c {_KEY_BYTES} /dev/urandom > FILE; chmod 600 FILE`, and set DEALERMART_PERSON_KEY to it"
    if path is None:
        raise ConfigError("persons_in_bi is hashed, and DEALERMART_PERSON_KEY names no key", mend=make)
    where = str(path)
    if any(path.resolve().is_relative_to(folder) for folder in (REPO, settings.home.resolve(), settings.config)):
        mend = "keep it apart from code, config and state: whoever has all of these must not have the key too"
        raise ConfigError("the key lies beside what it protects", where=where, mend=mend)
    try:
        key, mode = path.read_bytes(), path.stat().st_mode
    except OSError as error:
        raise ConfigError(f"the key cannot be read: {error.strerror}", where=where, mend=make) from None
    if mode & 0o077:
        raise ConfigError("the key can be read by others", where=where, mend=f"chmod 600 {path.name}")
    if len(key) < _KEY_BYTES:
        raise ConfigError(f"the key has {len(key)} bytes, fewer than {_KEY_BYTES}", where=where, mend=make)
    return key


def code_of(key: bytes, person: str) -> str:
    """The code of a member: the same in every table and publication as long as the key is the same."""
    if person in _NOBODY:
        return person
    return "p-" + hmac.new(key, person.encode("utf-8"), hashlib.sha256).hexdigest()[:20]
