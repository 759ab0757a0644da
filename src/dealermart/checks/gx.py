"""Great Expectations on an open DuckDB connection: dialect, engine, data source, and the query of the failing rows.

Great Expectations 1.24 has no working road to DuckDB: it reads a result after its connection went back to the pool, by
which time DuckDB has dropped it, and it has no regular expressions for this dialect. Everything needed is added through
public doors (subclasses, SQLAlchemy's dialect registry, the metric registry); nothing is patched, nothing is written.

Importing this module imports Great Expectations, which takes seconds: import it inside functions.
"""

from __future__ import annotations

import builtins
import logging
import math
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, Literal

import duckdb
import great_expectations as gx
import sqlalchemy as sa
from great_expectations.core.batch_definition import BatchDefinition
from great_expectations.core.metric_function_types import MetricFunctionTypes
from great_expectations.data_context.types.base import ProgressBarsConfig
from great_expectations.datasource.fluent import SQLDatasource
from great_expectations.datasource.fluent.interfaces import Batch
from great_expectations.execution_engine import SqlAlchemyExecutionEngine
from great_expectations.expectations import registry
from great_expectations.expectations.metrics.map_metric_provider import (
    ColumnMapMetricProvider,
    column_condition_partial,
)
from great_expectations.expectations.metrics.metric_provider import metric_value
from great_expectations.expectations.metrics.query_metric_provider import QueryMetricProvider
from sqlalchemy.dialects import registry as dialects
from sqlalchemy.dialects.postgresql.base import PGCompiler, PGIdentifierPreparer, PGTypeCompiler
from sqlalchemy.engine.default import DefaultDialect

from dealermart.checks import rare
from dealermart.checks.types import TYPES

# ------------------------------------------------------------------------------------------------ quiet


@contextmanager
def quiet() -> Iterator[None]:
    """Keep Great Expectations silent: what it logs and warns about can quote SQL, parameters and data."""
    logger = logging.getLogger("great_expectations")
    handlers, propagate = logger.handlers, logger.propagate
    logger.handlers, logger.propagate = [logging.NullHandler()], False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.handlers, logger.propagate = handlers, propagate


# ------------------------------------------------------------------------------------------- connection


class _Cursor:
    """A DBAPI cursor that takes its whole result at once, so that closing anything later loses nothing.

    The results are small: Great Expectations asks for counts and aggregates only (no values are requested).
    """

    arraysize = 1
    rowcount = -1

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self._con = con
        self._rows: Iterator[tuple[Any, ...]] = iter(())
        self.description: Sequence[Any] | None = None

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> None:
        self._con.execute(sql, list(parameters))
        self.description = self._con.description
        self._rows = iter(self._con.fetchall())

    def fetchone(self) -> tuple[Any, ...] | None:
        return next(self._rows, None)

    def fetchmany(self, size: int = 1) -> list[tuple[Any, ...]]:
        return [row for row, _ in zip(self._rows, range(size), strict=False)]

    def fetchall(self) -> list[tuple[Any, ...]]:
        return list(self._rows)

    def close(self) -> None:
        self._rows = iter(())


class _Connection:
    """The open DuckDB connection as SQLAlchemy wants to see it.

    It is the caller's own connection, so temporary tables, open transactions and session settings are seen. Checks only
    read: there is nothing to commit, and a rollback would undo the caller's work.
    """

    def __init__(self) -> None:
        self._con: duckdb.DuckDBPyConnection | None = None

    def cursor(self) -> _Cursor:
        if self._con is None:
            raise duckdb.ConnectionException("the check has ended")
        return _Cursor(self._con)

    def hold(self, con: duckdb.DuckDBPyConnection) -> None:
        if self._con is not None:
            raise RuntimeError("a check has not ended yet")
        self._con = con

    def release(self) -> None:
        """Let go of DuckDB: this object is kept for the next check."""
        self._con = None

    def commit(self) -> None: ...

    def rollback(self) -> None: ...

    def close(self) -> None: ...


# ---------------------------------------------------------------------------------------------- dialect


def _exact(value: float) -> Decimal | float:
    """What the suite's author wrote: 0.1 is a tenth and not the double next to it, so decimals compare exactly."""
    return Decimal(repr(value)) if math.isfinite(value) else value


class _Float(sa.types.Float[Any]):
    """Bounds as exact decimals, alike as parameter (the count) and as text (the failing rows)."""

    def bind_processor(self, dialect: sa.Dialect) -> Callable[[Any], Any]:
        return lambda value: _exact(float(value)) if value is not None else None

    def literal_processor(self, dialect: sa.Dialect) -> Callable[[Any], str]:
        def text(value: Any) -> str:
            exact = _exact(float(value))
            return format(exact, "f") if isinstance(exact, Decimal) else f"cast('{exact}' as double)"

        return text


class DuckDBDialect(DefaultDialect):
    """As much of a dialect as Great Expectations needs to read: PostgreSQL's SQL through the duckdb module."""

    name = "duckdb"
    driver = "gx"
    poolclass = sa.pool.StaticPool
    statement_compiler = PGCompiler
    type_compiler_cls = PGTypeCompiler
    preparer = PGIdentifierPreparer
    supports_statement_cache = True
    supports_native_boolean = True
    supports_native_decimal = True
    colspecs = {sa.types.Float: _Float}
    _backslash_escapes = False  # PGCompiler asks for it: a backslash in a text is a backslash

    @classmethod
    def import_dbapi(cls) -> Any:
        return duckdb

    def initialize(self, connection: sa.Connection) -> None:
        self.default_schema_name = "main"

    def get_schema_names(self, connection: sa.Connection, **kw: Any) -> list[str]:
        rows = connection.exec_driver_sql("select schema_name from information_schema.schemata").fetchall()
        return [row[0] for row in rows]

    def get_columns(
        self, connection: sa.Connection, table_name: str, schema: str | None = None, **kw: Any
    ) -> list[Any]:
        parts = [self.identifier_preparer.quote_identifier(part) for part in (schema, table_name) if part]
        rows = connection.exec_driver_sql(f"describe {'.'.join(parts)}").fetchall()
        return [
            {"name": row[0], "type": _sql_type(str(row[1])), "nullable": row[2] == "YES", "default": None}
            for row in rows
        ]

    def get_pk_constraint(
        self, connection: sa.Connection, table_name: str, schema: str | None = None, **kw: Any
    ) -> Any:
        return {"constrained_columns": [], "name": None}


def _sql_type(name: str) -> sa.types.TypeEngine[Any]:
    """SQLAlchemy's type of that name; DuckDB's own types (lists, structs) have none and stay unnamed."""
    kind = getattr(sa, name.split("(")[0].replace(" ", "_"), sa.types.NullType)
    return kind() if isinstance(kind, type) and issubclass(kind, sa.types.TypeEngine) else sa.types.NullType()


dialects.register("duckdb.gx", __name__, "DuckDBDialect")


# ------------------------------------------------------------------------------- engine and data source


class DuckDBExecutionEngine(SqlAlchemyExecutionEngine):
    """The SQLAlchemy engine under a name of its own, to which the metrics below are tied."""


class DuckDBDatasource(SQLDatasource):
    """Adds ``context.data_sources.add_duckdb``."""

    type: Literal["duckdb"] = "duckdb"  # type: ignore[assignment]

    @property
    def execution_engine_type(self) -> builtins.type[SqlAlchemyExecutionEngine]:
        return DuckDBExecutionEngine


class _Bench:
    """What Great Expectations wants before it looks at a table. None of it is about data, so it is made once."""

    def __init__(self) -> None:
        self.connection = _Connection()
        context = gx.get_context(mode="ephemeral")
        context.variables.progress_bars = ProgressBarsConfig(globally=False)
        self._source = context.data_sources.add_duckdb(
            "duckdb", connection_string="duckdb+gx://", kwargs={"creator": lambda: self.connection}
        )
        self._definitions: dict[str, BatchDefinition[Any]] = {}

    def definition(self, table: str) -> BatchDefinition[Any]:
        if table not in self._definitions:
            schema, _, name = table.rpartition(".")
            asset = self._source.add_table_asset(table, table_name=name, schema_name=schema or None)
            self._definitions[table] = asset.add_batch_definition_whole_table("all")
        return self._definitions[table]


_THREAD = threading.local()


@contextmanager
def open_batch(con: duckdb.DuckDBPyConnection, table: str) -> Iterator[Batch]:
    """A Great Expectations batch over ``table`` (``name`` or ``schema.name``) of an open connection.

    The context lives in memory, and at the end every hold on the connection is given up, so that the caller can drop
    the table or close the database.
    """
    if not hasattr(_THREAD, "bench"):
        _THREAD.bench = _Bench()
    bench: _Bench = _THREAD.bench
    bench.connection.hold(con)
    try:
        yield bench.definition(table).get_batch()
    finally:
        bench.connection.release()


# ------------------------------------------------------------------------------ the rows behind a count


def _failing_rows_query(
    cls: type,
    execution_engine: SqlAlchemyExecutionEngine,
    metric_domain_kwargs: dict[str, Any],
    metric_value_kwargs: dict[str, Any],
    metrics: dict[str, Any],
    runtime_configuration: dict[str, Any],
) -> str | None:
    """SELECT of the key columns of every failing row, from the condition and the domain that were counted.

    Great Expectations' own text leaves row conditions and ignored rows out, joins compound keys to everything and can
    keep placeholders unfilled.
    """
    names = metric_value_kwargs["result_format"].get("unexpected_index_column_names")
    if not names:
        return None
    condition, compute, accessor = metrics["unexpected_condition"]
    keys: list[sa.ColumnClause[Any]] = [sa.column(name) for name in names]
    domain: Any = execution_engine.get_domain_records({**compute, **accessor})
    rows = domain.subquery() if isinstance(domain, sa.Select) else domain
    if getattr(cls, "condition_metric_name", None) == "column_values.unique":
        # This condition speaks of a projection without the key columns: count the copies beside them instead.
        column: sa.ColumnClause[Any] = sa.column(accessor["column"])
        copies = sa.func.count().over(partition_by=column).label("_copies")
        counted = sa.select(*keys, copies).select_from(rows).where(column.is_not(None)).subquery()
        query = sa.select(*[counted.c[name] for name in names]).where(counted.c["_copies"] > 1)
    else:
        query = sa.select(*keys).where(condition)
        if not query.get_final_froms():  # the condition of a compound key brings the rows with it
            query = query.select_from(rows)
    return str(query.compile(execution_engine.engine, compile_kwargs={"literal_binds": True}))


class _MatchRegex(ColumnMapMetricProvider):
    """RE2, found anywhere in the text unless the expression is anchored."""

    condition_metric_name = "column_values.match_regex"
    condition_value_keys = ("regex",)

    @column_condition_partial(engine=DuckDBExecutionEngine)
    def _duckdb(cls, column: Any, regex: str, **kwargs: Any) -> Any:
        return sa.func.regexp_matches(column, regex)


class _NoRowsFetched(QueryMetricProvider):
    """The rows that a query rule finds are counted by the next metric and never fetched."""

    metric_name = "unexpected_rows_query.table"
    value_keys = ("unexpected_rows_query",)

    @metric_value(engine=DuckDBExecutionEngine)
    def _duckdb(cls, execution_engine: DuckDBExecutionEngine, **kwargs: Any) -> list[dict[str, Any]]:
        return []


def _register_queries() -> None:
    for kind in TYPES.values():
        if kind.metric is None:
            continue
        metric = f"{kind.metric}.unexpected_index_query"
        keys = registry.get_metric_kwargs(metric)
        provider, _ = registry.get_sqlalchemy_metric_provider(metric)
        registry.register_metric(
            metric_name=metric,
            metric_domain_keys=keys["metric_domain_keys"],
            metric_value_keys=keys["metric_value_keys"],
            execution_engine=DuckDBExecutionEngine,
            metric_class=provider,  # type: ignore[arg-type]
            metric_provider=_failing_rows_query,
            metric_fn_type=MetricFunctionTypes.VALUE,
        )


with quiet():  # it warns of every provider that is replaced
    rare.add_regexes(DuckDBExecutionEngine)
    _register_queries()
