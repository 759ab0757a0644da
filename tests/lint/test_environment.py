"""The locks, the script that installs them, and the linters' own runner."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import lint
import make_env
import make_lock

pytestmark = pytest.mark.slow


ROOT = Path(__file__).resolve().parents[2]
LOCKS = ("requirements.lock", "requirements-remote.lock", "requirements-dev.lock")
PORTABLE = "requirements-portable.lock"
FAITHFUL = "tests/crm_faithful/requirements.lock"


def entries(lock: str) -> dict[str, list[tuple[str, int]]]:
    """Name -> (version with its marker, number of hashes) of each entry of a lock."""
    found: dict[str, list[tuple[str, int]]] = {}
    for block in re.split(r"\n(?=\S)", (ROOT / lock).read_text("utf-8").strip()):
        head, *hashes = [line.strip().rstrip("\\").strip() for line in block.splitlines()]
        name, version = head.split("==", 1)
        found.setdefault(canonicalize_name(name), []).append((version, len(hashes)))
        assert all(re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", one) for one in hashes), f"{lock}: {name}"
    return found


@pytest.mark.parametrize("lock", [*LOCKS, PORTABLE, FAITHFUL])
def test_a_lock_has_names_versions_and_hashes_only(lock: str) -> None:
    assert all(count > 0 for versions in entries(lock).values() for _, count in versions)
    assert "://" not in (ROOT / lock).read_text("utf-8")


def test_each_lock_holds_the_smaller_one() -> None:
    runtime, remote, dev = (
        {(name, version) for name, versions in entries(lock).items() for version, _ in versions} for lock in LOCKS
    )
    assert runtime - remote == set()
    assert remote - dev == set()


@pytest.mark.parametrize(
    ("lock", "groups"), [(LOCKS[0], ["build"]), (LOCKS[1], ["build", "remote"]), (LOCKS[2], ["build", "remote", "dev"])]
)
def test_a_lock_fits_what_the_project_asks_for(lock: str, groups: list[str]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = [*project["dependencies"], *(one for group in groups for one in project["optional-dependencies"][group])]
    locked = entries(lock)
    for requirement in map(Requirement, wanted):
        versions = [version.split(" ;")[0].strip() for version, _ in locked[canonicalize_name(requirement.name)]]
        assert versions
        assert all(requirement.specifier.contains(version) for version in versions), requirement.name


def test_the_second_engine_has_what_it_asks_for_and_no_great_expectations() -> None:
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["dependency-groups"]["portable"]
    locked = entries(PORTABLE)
    for requirement in map(Requirement, wanted):
        versions = [version.split(" ;")[0].strip() for version, _ in locked[canonicalize_name(requirement.name)]]
        assert versions
        assert all(requirement.specifier.contains(version) for version in versions), requirement.name
    assert not {"great-expectations", "apache-airflow", "pyspark"} & set(locked)
    assert all(not {"pyspark", "pyspark-client"} & set(entries(lock)) for lock in LOCKS)


def test_the_lock_is_made_for_all_pythons_and_each_lock_after_the_smaller_one() -> None:
    runtime, remote, dev, portable, dashboards, faithful = make_lock.commands("uv", upgrade=False)
    assert "--universal" in runtime
    assert runtime[-2:] == ["-o", "requirements.lock"]
    assert remote[remote.index("-c") + 1] == "requirements.lock"
    assert dev[dev.index("-c") + 1] == remote[-1] == "requirements-remote.lock"
    assert portable[-4:] == ["--group", "portable", "-o", PORTABLE]
    assert dashboards[-4:] == ["--group", "dashboards", "-o", "requirements-dashboards.lock"]
    assert faithful[-2:] == ["-o", FAITHFUL] and "tests/crm_faithful/requirements.in" in faithful
    assert "pyproject.toml" not in portable + dashboards + faithful  # the project itself is not part of them
    assert all("--upgrade" in command for command in make_lock.commands("uv", upgrade=True))


@pytest.mark.parametrize(
    ("log", "unpacked", "says"),
    [
        pytest.param("", 0, "fetching 0 of 3 packages", id="at the start"),
        pytest.param("Collecting a==1\n  Downloading a\nCollecting b==2\n", 0, "fetching 2 of 3 packages", id="two"),
        pytest.param("Requirement already satisfied: a==1\n", 0, "fetching 1 of 3 packages", id="one is there"),
        pytest.param(
            "Collecting a\nInstalling collected packages: a\n", 2, "unpacking 2 of 3 packages", id="unpacking"
        ),
    ],
)
def test_progress_is_read_from_what_pip_does(log: str, unpacked: int, says: str, tmp_path: Path) -> None:
    (tmp_path / "log").write_text(log, "utf-8")
    (tmp_path / "site").mkdir()
    for number in range(unpacked + 1):  # one stood there before
        (tmp_path / "site" / f"p{number}.dist-info").mkdir()
    assert make_env.progress(tmp_path / "log", tmp_path / "site", total=3, before=1) == says


@pytest.mark.integration
def test_a_lock_that_cannot_be_installed_leaves_one_message_and_no_traceback(tmp_path: Path) -> None:
    lock = tmp_path / "bad.lock"
    lock.write_text("no-such-package==1.0 --hash=sha256:" + "0" * 64 + "\n", "utf-8")
    done = subprocess.run(
        [sys.executable, "scripts/make_env.py", "--venv", str(tmp_path / "venv"), "--lock", str(lock)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={"PATH": "", "PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": "/dev/null"},
        check=False,
    )
    assert done.returncode == 1
    assert "pip install failed" in done.stderr
    assert "no-such-package" in done.stderr
    assert "mend:" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unsupported_python_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    # The check stands before the imports; a Python that says it is 3.9 shows that it comes first.
    code = (
        "import sys, runpy; sys.version_info = (3, 9, 1, 'final', 0); sys.argv = ['make_env.py'];"
        "runpy.run_path('scripts/make_env.py', run_name='__main__')"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "needs Python 3.11, 3.12 or 3.13" in done.stderr
    assert "PYTHON=python3.11" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_runner_fails_when_a_tool_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tools = {
        "good": ["python", "-c", "pass"],
        "bad": ["python", "-c", "print('what is wrong'); raise SystemExit(3)"],
        "late": ["python", "-c", "pass"],
    }
    monkeypatch.setattr(lint, "TOOLS", tools)
    monkeypatch.setattr(sys, "argv", ["lint"])
    assert lint.main() == 1
    said = capsys.readouterr().out
    assert "what is wrong" in said
    assert "ok     late" in said
    assert "failed: bad" in said


@pytest.mark.parametrize(
    ("folder", "refused"), [pytest.param("src/dealermart", True, id="src"), pytest.param("dags", False, id="dags")]
)
def test_airflow_is_banned_from_src(folder: str, refused: bool) -> None:
    ruff = Path(sys.executable).parent / "ruff"
    done = subprocess.run(
        [str(ruff), "check", "--no-cache", "--select", "TID251", "--stdin-filename", f"{folder}/x.py", "-"],
        cwd=ROOT,
        input="from airflow.sdk import dag\n\ndag()\n",
        capture_output=True,
        text=True,
        check=False,
    )
    assert ("TID251" in done.stdout) is refused
    assert done.returncode == int(refused)


@pytest.mark.parametrize(
    ("config", "sql", "passes"),
    [
        pytest.param("[sqlfluff]\ndialect = duckdb\n", "select a from b\n", True, id="clean"),
        pytest.param("[sqlfluff]\ndialect = duckdb\n", "SELECT a,b from c\n", False, id="planted"),
        pytest.param("", "select a from b\n", False, id="a config without a dialect checks nothing"),
    ],
)
def test_sqlfluff_fails_when_it_found_something_or_checked_nothing(
    config: str, sql: str, passes: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = tmp_path / "dbt_project" / "models"
    models.mkdir(parents=True)
    (tmp_path / "expectations").mkdir()
    (tmp_path / "dbt_project" / ".sqlfluff").write_text(config, "utf-8")
    (models / "a.sql").write_text(sql, "utf-8")
    monkeypatch.setattr(lint, "ROOT", tmp_path)
    assert lint.run("sqlfluff") is passes
