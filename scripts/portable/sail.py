"""All models and data tests of the dbt project on Sail, in its own environment, and the rows of every model as Parquet.

Sail serves Spark Connect; dbt's session is pointed at it. Nothing here may be imported beside Great Expectations.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

import dbt.adapters.spark.session as dbt_session
import yaml
from dbt.cli.main import dbtRunner
from pysail.spark import SparkConnectServer
from pyspark.sql import SparkSession


def settings(project: Path) -> dict[str, str]:
    """The settings of the profile's output ``spark``: without them results differ."""
    profile = yaml.safe_load((project / "profiles.yml").read_text("utf-8"))
    return dict(profile["dealermart"]["outputs"]["spark"]["server_side_parameters"])


def connect(server: SparkConnectServer, project: Path, out: Path) -> Any:
    """A session on the server, with the profile's settings."""
    _, port = server.listening_address
    session = SparkSession.builder.remote(f"sc://127.0.0.1:{port}").getOrCreate()
    for name, value in {**settings(project), "spark.sql.warehouse.dir": str(out / "warehouse")}.items():
        session.conf.set(name, value)
    return session


def create_sources(session: Any, sources: Path) -> None:
    """Tables over the Parquet files that were handed over, and the lake's views over them."""
    for schema in ("main", "lake", "lake_raw", "config", "meta", "closed", "staging", "intermediate", "marts"):
        session.sql(f"create schema if not exists {schema}").collect()
    for name, columns in json.loads((sources / "sources.json").read_text("utf-8")).items():
        schema, table = name.split(".")
        # As dealermart.lake has it: a row whose file does not say whether it is deleted is not.
        is_feed = "_is_deleted" in columns
        listed = ", ".join(f"`{column}` {kind}" for column, kind in columns.items())
        stored = f"{schema}_raw.`{table}`" if is_feed else f"{schema}.`{table}`"
        session.sql(f"create table {stored} ({listed}) using parquet location '{sources / name}'").collect()
        if is_feed:
            given = {"_is_deleted": "coalesce(_is_deleted, false) as _is_deleted"}
            shown = ", ".join(given.get(column, f"`{column}`") for column in columns)
            session.sql(f"create view {schema}.`{table}` as select {shown} from {stored}").collect()


def lend(session: Any) -> None:
    """Let dbt use this session; by itself it would ask for Hive, which Spark Connect does not know."""

    class Lent:
        def config(self, *_: str) -> Lent:
            return self

        def getOrCreate(self) -> Any:
            return session

        enableHiveSupport = config

    dbt_session.SparkSession = type("SparkSession", (), {"builder": Lent()})
    execute = dbt_session.Cursor.execute

    def without_dynamic(self: Any, sql: str, *parameters: Any) -> None:
        # Sail cannot read this word of dbt's; a full build writes every month, so it says nothing here.
        if "partitionOverwriteMode" not in sql:
            execute(self, sql, *parameters)

    dbt_session.Cursor.execute = without_dynamic


def statuses(command: str, project: Path, out: Path) -> dict[str, str]:
    """Run a command of dbt on the whole project. Returns the status of each node, by name."""
    done = dbtRunner().invoke(
        [
            "--no-use-colors", "--log-path", str(out / "logs"), command, "--target", "spark",
            "--project-dir", str(project), "--profiles-dir", str(project), "--target-path", str(out / "target"),
            *(["--full-refresh"] if command == "run" else ["--exclude-resource-type", "unit_test"]),
        ]
    )  # fmt: skip
    if done.exception:
        raise done.exception
    results = json.loads((out / "target" / "run_results.json").read_text("utf-8"))["results"]
    return {result["unique_id"].split(".")[2]: result["status"] for result in results}


def main() -> int:
    """Command line; ends with 0 when dbt ran, whatever its tests found: that stands in ``results.json``."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--sources", type=Path, required=True)
    parser.add_argument("--project", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    given.out.mkdir(parents=True)
    server = SparkConnectServer(ip="127.0.0.1", port=0)  # it stops when this name goes
    server.start(background=True)
    session = connect(server, given.project, given.out)
    create_sources(session, given.sources)
    lend(session)
    results = {command: statuses(command, given.project, given.out) for command in ("run", "test")}
    manifest = json.loads((given.out / "target" / "manifest.json").read_text("utf-8"))
    for node in manifest["nodes"].values():
        if node["resource_type"] == "model" and results["run"].get(node["name"]) == "success":
            name = f"{node['schema']}.{node['alias']}"
            session.table(name).write.parquet(str(given.out / "rows" / name))
    (given.out / "results.json").write_text(json.dumps(results, indent=1), "utf-8")
    return 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)  # the server's threads do not end by themselves
