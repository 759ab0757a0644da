"""dbt as one subprocess: run it, read back what it says it did."""

from __future__ import annotations

import hashlib
import json
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from dealermart.base import BuildError, HeldLock, Settings, child_environment
from dealermart.warehouse.state import code_hash


@dataclass(frozen=True)
class DbtResult:
    """Nodes as ``run_results.json`` lists them, each with unique_id, status, failures and execution_time."""

    nodes: tuple[dict[str, Any], ...]
    log: Path

    @property
    def models(self) -> int:
        return sum(node["unique_id"].startswith("model.") for node in self.nodes)

    @property
    def tests(self) -> int:
        return sum(node["unique_id"].startswith(("test.", "unit_test.")) for node in self.nodes)

    def summary(self) -> dict[str, Any]:
        """For the run log: counts by status, and the slowest nodes in seconds."""
        slowest = sorted(self.nodes, key=lambda node: -node["execution_time"])[:5]
        return {
            "models": self.models,
            "tests": self.tests,
            "status": dict(Counter(node["status"] for node in self.nodes)),
            "slowest": {_name(node): round(node["execution_time"], 2) for node in slowest},
        }

    def raise_for_failures(self) -> None:
        """Raise BuildError when a model or a test did not end well.

        The engine's messages stay in dbt's log: they can quote data.
        """
        bad = [node for node in self.nodes if node["status"] not in ("success", "pass", "skipped", "no-op")]
        if not bad:
            return
        lines = [
            f"- {_name(node)}: {node['status']}" + (f", {node['failures']} rows" if node.get("failures") else "")
            for node in bad[:20]
        ]
        skipped = sum(node["status"] == "skipped" for node in self.nodes)
        raise BuildError(
            f"{len(bad)} models or tests failed ({skipped} skipped after them):\n" + "\n".join(lines),
            where=str(self.log),
            mend="read the log for the engine's messages; what readers see is still the last good build",
        )


def dbt_build(
    settings: Settings,
    held: HeldLock,
    inputs: dict[str, str],
    *,
    full: bool,
    say: Callable[[str], None],
    select: str | None = None,
) -> DbtResult:
    """``dbt build`` of the whole project, without its unit tests, which belong to CI.

    Args:
        inputs: What the models are given, by name (``dbt_project.yml`` lists them).
        select: These nodes alone, as dbt selects them.
        held: The lock of this process; dbt inherits it, so that nobody writes beside it even if this process is killed.

    Raises:
        BuildError: dbt did not get as far as writing its results.
    """
    home = settings.home / "dbt"
    home.mkdir(parents=True, exist_ok=True)
    results = home / "target" / "run_results.json"
    results.unlink(missing_ok=True)
    command = [
        _program(),
        "build",
        "--project-dir",
        str(settings.dbt_project),
        "--profiles-dir",
        str(settings.dbt_project),
        "--target-path",
        str(home / "target"),
        "--log-path",
        str(home / "logs"),
        "--no-use-colors",
        # To write down every query takes a sixth of the time of some 700 nodes; their SQL stands in target/run.
        "--log-level-file",
        "info",
        "--exclude-resource-type",
        "unit_test",
        *(["--full-refresh"] if full else []),
        *(["--select", select] if select else []),
    ]
    env = child_environment(
        DEALERMART_WAREHOUSE=str(settings.warehouse),
        DEALERMART_THREADS=str(settings.threads),
        DEALERMART_MEMORY_LIMIT=settings.memory_limit,
        DEALERMART_TEMP_DIR=str(home / "spill"),
        DBT_SEND_ANONYMOUS_USAGE_STATS="false",
        DO_NOT_TRACK="1",
        **{f"DEALERMART_{name.upper()}": value for name, value in inputs.items()},
    )
    log = home / "logs" / "dbt.log"
    tail: list[str] = []
    with subprocess.Popen(
        command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, pass_fds=(held.fd,), cwd=home
    ) as process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                tail = [*tail[-29:], line.rstrip()]
                if shown := re.search(r"(\d+ of \d+) (OK|PASS|ERROR|FAIL|SKIP)\s+(.*?)\s*\.{3,}", line):
                    say(f"dbt {shown[1]} {shown[2].lower()} {shown[3]}")
        except BaseException:
            process.send_signal(signal.SIGTERM)
            raise
    if not results.exists():
        raise BuildError(
            "dbt stopped before it built anything:\n" + "\n".join(tail[-12:]),
            where=str(log),
            mend="correct what dbt complains about",
        )
    nodes = json.loads(results.read_text("utf-8"))["results"]
    return DbtResult(tuple(nodes), log)


def dbt_parse(settings: Settings, room: Path, warehouse: Path) -> dict[str, Any]:
    """dbt's manifest, parsed into the target folder of a room of its own.

    Args:
        warehouse: That of the later ``dbt_models``: what is parsed holds for it alone.

    Raises:
        BuildError: dbt did not understand its project.
    """
    code, said = _said(["--no-use-colors", "parse", *_places(settings, room)], settings, room, warehouse, {})
    if code:
        raise BuildError(
            "dbt cannot read its project:\n" + "\n".join(said[-12:]),
            where=str(room / "logs" / "dbt.log"),
            mend="correct what dbt complains about",
        )
    return dict(json.loads((room / "target" / "manifest.json").read_text("utf-8")))


def parsed_from(settings: Settings, room: Path, warehouse: Path) -> str:
    """All that dbt looks at before it takes what it parsed for the models as they stand, as one text.

    Without a look at the files it would find no models at all where any of it changed.
    """
    profiles = (settings.dbt_project / "profiles.yml").read_text("utf-8")
    env = _env(settings, room, warehouse, {})
    read = sorted(set(re.findall(r"env_var\(\s*'(\w+)'", profiles)))
    parts = [profiles, *(f"{name}={env.get(name)}" for name in read)]
    parts += [f"{package} {version(package)}" for package in ("dbt-core", "dbt-duckdb")]
    digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()
    return f"{settings.dbt_project} {code_hash(settings)} {digest}"


def dbt_models(settings: Settings, room: Path, warehouse: Path, inputs: dict[str, str], models: Sequence[str]) -> None:
    """``dbt run`` of these models and no others in a warehouse beside the main one, where ``dbt_parse`` ran before.

    Args:
        room: Where dbt's target folder is; what was parsed there must be from what ``parsed_from`` says now.

    Raises:
        BuildError: a model failed, in the engine's own words: what they quote are the rows of somebody's test.
    """
    # The models are known to stand as they were parsed, and nothing is in the warehouse that dbt would have to look up.
    # Manifest and results, which nobody reads here, take a third of the time to write.
    known = ["--no-partial-parse-file-diff", "--no-version-check", "--no-populate-cache", "--no-write-json"]
    told = ["--quiet", "--no-use-colors", "--log-level-file", "none"]
    arguments = [*known, *told, "run", *_places(settings, room), "--select", *models]
    code, said = _said(arguments, settings, room, warehouse, inputs)
    if code:
        raise BuildError(
            "dbt did not run the models:\n" + "\n".join(said[-12:]), mend="correct what dbt complains about"
        )


def _said(
    arguments: Sequence[str], settings: Settings, room: Path, warehouse: Path, inputs: dict[str, str]
) -> tuple[int, list[str]]:
    """dbt's exit code and the lines that it printed."""
    command, env = [_program(), *arguments], _env(settings, room, warehouse, inputs)
    with subprocess.Popen(
        command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, pass_fds=(), cwd=room
    ) as process:
        assert process.stdout is not None
        lines = [line.rstrip() for line in process.stdout if line.strip()]
    return process.returncode, lines


def _places(settings: Settings, room: Path) -> list[str]:
    project = str(settings.dbt_project)
    return [
        "--project-dir", project, "--profiles-dir", project,
        "--target-path", str(room / "target"), "--log-path", str(room / "logs"),
    ]  # fmt: skip


def _env(settings: Settings, room: Path, warehouse: Path, inputs: dict[str, str]) -> dict[str, str]:
    return child_environment(
        DEALERMART_WAREHOUSE=str(warehouse),
        DEALERMART_THREADS=str(settings.threads),
        DEALERMART_MEMORY_LIMIT=settings.memory_limit,
        DEALERMART_TEMP_DIR=str(room / "spill"),
        DBT_SEND_ANONYMOUS_USAGE_STATS="false",
        DO_NOT_TRACK="1",
        **{f"DEALERMART_{name.upper()}": value for name, value in inputs.items()},
    )


def manifest(settings: Settings) -> dict[str, Any]:
    """dbt's manifest of the last build."""
    path = settings.home / "dbt" / "target" / "manifest.json"
    try:
        return dict(json.loads(path.read_text("utf-8")))
    except FileNotFoundError:
        raise BuildError("dbt has not run here yet", where=str(path), mend="run `dealermart build`") from None


def _program() -> str:
    return str(Path(sys.executable).with_name("dbt"))


def _name(node: dict[str, Any]) -> str:
    return ".".join(str(node["unique_id"]).split(".")[2:3])
