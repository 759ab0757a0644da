"""The room of checks: what the rows of a feed or a mart must hold, as Great Expectations suites, run on DuckDB.

A suite is plain JSON (``expectations/<feed>.json``), one Great Expectations suite per feed::

    {"name": "sales", "expectations": [
      {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "dealer_id"},
       "meta": {"rule": "dealer_id_missing"}, "severity": "warning", "description": "dealer_id is missing"}]}

Every rule has a name of its own (``meta.rule``) and a severity: ``critical`` refuses the files that hold failing rows,
``warning`` quarantines the rows, ``info`` reports. Nothing that leaves this room carries a value of the data.

The SQL of an ``unexpected_rows_expectation`` stands in ``expectations/sql/<suite>/<rule>.sql`` and the rule says
``"kwargs": {}``; SQL that many rules share stands once in ``expectations/templates/<template>.sql`` and they say
``"kwargs": {"template": ..., ...}`` (``sql``). It may read, beside ``{{ batch }}``, the views ``feed_<feed>`` (the row
in force per key) and ``known_<feed>`` (every accepted row), the table ``twins`` (``_row_id`` of rows whose key another
row of the batch may have) and the macro ``reporting_currency()``. A rule with ``"waits_for": ["dealers"]`` in its meta
says what a failing row waits for: a row that fails such rules only is judged again when those feeds get new rows. In
the views of the rule's own feed stand the rows of the batch too, as far as nothing speaks against them.

Look-ups are written ``anti join ... on`` with plain equalities: of any other condition, and of ``not in`` with several
columns, DuckDB makes a comparison of every row with every row.

A company edits the suites and nothing here. Here a type of expectation is added, with its cases in the tests
(``kinds``; ``rare`` for those of companies' own suites), a suite is loaded or refused (``suite``), rows are judged
(``verdicts``). ``engine`` calls Great Expectations, ``gx`` makes it work on an open DuckDB connection. To import this
room is cheap: Great Expectations, which takes seconds, comes in with the first rows to judge.
"""

from __future__ import annotations

from dealermart.checks.engine import define_currency, find_twins
from dealermart.checks.suite import load_suite
from dealermart.checks.types import KEY, TYPES, Outcome, Rule, Suite, batch_columns, views
from dealermart.checks.verdicts import failing_rows, kept, run, run_batch

__all__ = [
    "KEY",
    "TYPES",
    "Outcome",
    "Rule",
    "Suite",
    "batch_columns",
    "define_currency",
    "failing_rows",
    "find_twins",
    "kept",
    "load_suite",
    "run",
    "run_batch",
    "views",
]
