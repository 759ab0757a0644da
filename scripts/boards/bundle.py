"""Superset's YAML from the dashboards: databases, datasets, charts, dashboards; the same input gives the same files."""

from __future__ import annotations

import hashlib
import re
import uuid
from pathlib import Path
from typing import Any

import yaml

from boards.spec import Board, Chart

_ROOT = uuid.UUID("b54b9d3c-7e0a-5b1e-9d0e-2f6a1c8d4e57")
_HEIGHTS = {"number": 22, "line": 50, "bar": 50, "table": 50}
_DATES = ("date", "timestamp")
_COLUMNS = 12

# Type, English description and Chinese name of a column, by table and column.
Columns = dict[str, dict[str, tuple[str, str, str]]]


def _id(*names: str) -> str:
    return str(uuid.uuid5(_ROOT, "/".join(names)))


def service(audience: str) -> str:
    """The name of the connection in the service file that libpq reads: address, login and password stand there."""
    return f"dealermart_{audience}"


def write(out: Path, boards: dict[str, Board], schemas: dict[tuple[str, str], str], columns: Columns) -> None:
    """Write the folder that `superset import-directory` takes.

    Args:
        schemas: Schema of each table, by audience and table.
    """
    _dump(out / "metadata.yaml", {"version": "1.0.0", "type": "assets", "timestamp": "2026-01-01T00:00:00+00:00"})
    for audience in sorted({board.audience for board in boards.values()}):
        _dump(out / "databases" / f"{audience}.yaml", _database(audience))
    for slug, board in boards.items():
        _dump(out / "dashboards" / f"{slug}.yaml", _dashboard(slug, board))
        for chart in board.charts:
            schema = schemas[board.audience, chart.table]
            dataset = _dataset(board.audience, schema, chart, columns[chart.table])
            _dump(out / "datasets" / board.audience / f"{dataset['table_name']}.yaml", dataset)
            name = "_".join(chart.title.lower().split())
            _dump(out / "charts" / f"{slug}_{name}.yaml", _chart(slug, chart, dataset["uuid"]))


def _dump(path: Path, data: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(data, allow_unicode=True, sort_keys=False), "utf-8")


def _database(audience: str) -> dict[str, Any]:
    return {
        "database_name": f"dealermart for {audience}",
        # Nothing secret stands here: address, login and password are in the service file.
        "sqlalchemy_uri": f"postgresql+psycopg2:///?service={service(audience)}",
        "expose_in_sqllab": False,
        "allow_run_async": False,
        "allow_ctas": False,
        "allow_cvas": False,
        "allow_dml": False,
        "allow_file_upload": False,
        "extra": {"allows_virtual_table_explore": False},
        "uuid": _id("database", audience),
        "version": "1.0.0",
    }


def _dataset(audience: str, schema: str, chart: Chart, columns: dict[str, tuple[str, str, str]]) -> dict[str, Any]:
    rows = chart.rows(schema)
    mark = f"__{hashlib.sha256(rows.encode()).hexdigest()[:8]}" if rows else ""
    return {
        "table_name": f"{chart.table}{mark}",
        "main_dttm_col": None,
        "schema": schema,
        "sql": rows,
        "params": None,
        "uuid": _id("dataset", audience, f"{chart.table}{mark}"),
        "database_uuid": _id("database", audience),
        "metrics": [{"metric_name": "rows", "verbose_name": "rows 行数", "expression": "count(*)"}],
        "columns": [
            {
                "column_name": name,
                "verbose_name": f"{name} {chinese}".strip(),
                "description": english,
                "type": kind.upper(),
                "is_dttm": kind.startswith(_DATES),
                "groupby": True,
                "filterable": True,
            }
            for name, (kind, english, chinese) in columns.items()
        ],
        "version": "1.0.0",
    }


def _chart(slug: str, chart: Chart, dataset: str) -> dict[str, Any]:
    metrics = [
        {
            "expressionType": "SQL",
            "sqlExpression": sql,
            "label": label,
            "hasCustomLabel": True,
            "optionName": f"m{number}",
        }
        for number, (label, sql) in enumerate(chart.values.items())
    ]
    filters = []
    if chart.where:
        filters = [{"expressionType": "SQL", "sqlExpression": chart.where, "clause": "WHERE"}]
    params: dict[str, Any] = {"time_range": "No filter", "adhoc_filters": filters}
    if chart.kind == "number":
        params |= {"viz_type": "big_number_total", "metric": metrics[0], "y_axis_format": chart.format}
    elif chart.kind == "table":
        params |= {
            "viz_type": "table",
            "query_mode": "aggregate",
            "groupby": list(chart.by),
            "metrics": metrics,
            "all_columns": [],
            "row_limit": 1000,
            "server_page_length": 50,
            "order_desc": True,
            "table_timestamp_format": "%Y-%m-%d",
            "column_config": {label: {"d3NumberFormat": _format(chart, sql)} for label, sql in chart.values.items()},
        }
    else:
        kind = "echarts_timeseries_line" if chart.kind == "line" else "echarts_timeseries_bar"
        params |= {
            "viz_type": kind,
            "x_axis": chart.by[0],
            "time_grain_sqla": None,
            "metrics": metrics,
            "groupby": list(chart.by[1:]),
            "row_limit": 10000,
            "show_legend": True,
            "y_axis_format": "SMART_NUMBER",
            "x_axis_time_format": "%Y-%m-%d",
            "truncate_metric": True,
            "stack": "Stack" if chart.kind == "bar" else None,
        }
    return {
        "slice_name": f"{chart.title} {chart.title_zh}",
        "viz_type": params["viz_type"],
        "params": params,
        "uuid": _id("chart", slug, chart.title),
        "dataset_uuid": dataset,
        "version": "1.0.0",
    }


def _format(chart: Chart, sql: str) -> str:
    """The chart's own, but for shares of a target and for what is counted."""
    if "attainment" in sql:
        return ".1%"
    return ",d" if re.match(r"count\(|sum\((\w+_count|case )", sql) else chart.format


def _dashboard(slug: str, board: Board) -> dict[str, Any]:
    rows: list[list[Chart]] = [[]]
    for chart in board.charts:
        if sum(placed.width for placed in rows[-1]) + chart.width > _COLUMNS:
            rows.append([])
        rows[-1].append(chart)
    grid: dict[str, Any] = {
        "DASHBOARD_VERSION_KEY": "v2",
        "ROOT_ID": {"type": "ROOT", "id": "ROOT_ID", "children": ["GRID_ID"]},
        "GRID_ID": {"type": "GRID", "id": "GRID_ID", "children": [], "parents": ["ROOT_ID"]},
        "HEADER_ID": {"type": "HEADER", "id": "HEADER_ID", "meta": {"text": board.name}},
    }
    number = 0
    for index, placed in enumerate(rows, 1):
        row = f"ROW-{index}"
        grid["GRID_ID"]["children"].append(row)
        grid[row] = {
            "type": "ROW", "id": row, "children": [], "parents": ["ROOT_ID", "GRID_ID"],
            "meta": {"background": "BACKGROUND_TRANSPARENT"},
        }  # fmt: skip
        height = max(_HEIGHTS[chart.kind] for chart in placed)
        for chart in placed:
            number += 1
            name = f"CHART-{number}"
            grid[row]["children"].append(name)
            meta = {
                "uuid": _id("chart", slug, chart.title),
                "chartId": number,
                "sliceName": f"{chart.title} {chart.title_zh}",
                "width": chart.width,
                "height": height,
            }
            grid[name] = {
                "type": "CHART", "id": name, "children": [], "parents": ["ROOT_ID", "GRID_ID", row], "meta": meta,
            }  # fmt: skip
    return {
        "dashboard_title": board.name,
        "description": None,
        "css": "",
        "slug": slug,
        "uuid": _id("dashboard", slug),
        "position": grid,
        "metadata": {"refresh_frequency": 0, "color_scheme": "supersetColors", "native_filter_configuration": []},
        "published": True,
        "version": "1.0.0",
    }
