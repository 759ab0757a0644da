"""Expectations that remember their configuration.

Great Expectations asks an expectation for its configuration, and a configuration for its expectation, some eighty times
for each rule, and makes both anew each time, which takes half of a check of few rows. Neither changes while it judges.
Everything is added through subclasses; the registered expectations stay Great Expectations' own.

Importing this module imports Great Expectations.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from great_expectations.compatibility import pydantic
from great_expectations.expectations import registry
from great_expectations.expectations.expectation import Expectation
from great_expectations.expectations.expectation_configuration import ExpectationConfiguration


class Configuration(ExpectationConfiguration):
    """A configuration that makes its expectation once, as long as its arguments stay the same."""

    _made: tuple[dict[str, Any], Expectation] | None = None

    def to_domain_obj(self) -> Expectation:
        if self._made is None or self._made[0] != self.kwargs:
            self._made = dict(self.kwargs), super().to_domain_obj()
        return self._made[1]

    def _get_expectation_impl(self) -> type[Expectation]:
        return _remembering(self.type)

    def __deepcopy__(self, memo: dict[int, Any]) -> Configuration:
        return _copy(self)


def _copy(of: ExpectationConfiguration) -> Configuration:
    return Configuration(
        type=of.type,
        kwargs=dict(of.kwargs),
        meta=dict(of.meta),
        notes=of.notes,
        description=of.description,
        severity=of.severity,
        id=of.id,
    )


@cache
def _remembering(kind: str) -> type[Expectation]:
    """The expectation of that type with a configuration that is made once."""
    original: Any = registry.get_expectation_impl(kind)

    def configuration(self: Any) -> Configuration:
        if self._configuration is None:
            made = _copy(original.configuration.fget(self))
            made._made = dict(made.kwargs), self
            self._configuration = made
        return self._configuration

    metaclass: Any = type(original)
    body = {
        "__module__": __name__,
        "__annotations__": {"_configuration": Any},
        "_configuration": pydantic.PrivateAttr(default=None),
        "configuration": property(configuration),
    }
    made: type[Expectation] = metaclass(original.__name__, (original,), body)
    registry.register_expectation(original)  # to make a class registers it under its name
    return made
