"""Errors that are written for people: what is wrong, where, and how to mend it."""

from __future__ import annotations


class DealermartError(Exception):
    """A fault that a user can act on; shown without a traceback.

    Args:
        what: One sentence on what is wrong. It carries no data values, because logs are read by many.
        where: File, with line and field where they are known.
        mend: What to do about it.
    """

    retryable = False

    def __init__(self, what: str, *, where: str = "", mend: str = "") -> None:
        self.what, self.where, self.mend = what, where, mend
        super().__init__(str(self))

    def __str__(self) -> str:
        text = f"{self.where}: {self.what}" if self.where else self.what
        return f"{text}\n  mend: {self.mend}" if self.mend else text

    def __reduce__(self) -> tuple[object, ...]:
        return _restore, (type(self), self.what, self.where, self.mend)


def _restore(kind: type[DealermartError], what: str, where: str, mend: str) -> DealermartError:
    """Rebuild an error that crossed a process border (exceptions are pickled by Airflow)."""
    return kind(what, where=where, mend=mend)


class ConfigError(DealermartError):
    """A contract, profile, plan, review template or company file is broken."""


class DataError(DealermartError):
    """A delivered file cannot be taken as it is."""


class UsageError(DealermartError):
    """What was asked for cannot be: an argument is wrong, or comes too early. That is no fault of the house."""


class SuiteError(ConfigError):
    """An expectation suite is broken or asks for what the engine cannot do."""


class CheckCrashed(DealermartError):
    """An expectation could not be evaluated. That says nothing about the data."""


class BalanceError(DealermartError):
    """Rows were lost or counted twice between two steps: a fault of a profile or of the program, never of the data."""


class BuildError(DealermartError):
    """dbt did not finish, or a test on the marts failed."""


class FetchError(DealermartError):
    """The place where a source's files come from does not answer; trying again later can succeed."""

    retryable = True


class LockError(DealermartError):
    """Another process holds the warehouse; trying again later can succeed."""

    retryable = True
