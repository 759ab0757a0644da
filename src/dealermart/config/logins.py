"""Who logs in to PostgreSQL (``config/logins.yml``): which login is which member, and which rows it sees."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from dealermart.config.yamlfile import Fault, Strict, repeated


class Login(Strict):
    """A login: a member who sees the own rows, or a manager who sees those of the own team besides."""

    login: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_.@-]{0,62}$")]
    member: Annotated[str, Field(min_length=1)]
    sees: Literal["team", "own"]


class Logins(Strict):
    """All logins of managers and members."""

    logins: tuple[Login, ...] = ()

    def faults(self) -> Iterator[Fault]:
        """What no single field shows."""
        yield from repeated((login.login for login in self.logins), ("logins",), "login", "login")
        for index, login in enumerate(self.logins):
            if login.login.startswith(("dealermart", "pg_")) or login.login in ("postgres", "public"):
                yield Fault(
                    ("logins", index, "login"), f"{login.login} is a name of the database's own", "choose another"
                )
