"""The lock: one writer, a refusal that names the holder, and no writer left behind by a killed process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from dealermart.base import LockError, Settings, lock_holder, lock_is_held, warehouse_lock

HOLD = """
import subprocess, sys
from pathlib import Path
from dealermart.base import Settings, warehouse_lock
with warehouse_lock(Settings(home=Path(sys.argv[1]), user="anna"), "build") as held:
    if sys.argv[2] == "child":
        subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], pass_fds=(held.fd,), stdout=subprocess.DEVNULL)
    print("held", flush=True)
    sys.stdin.read()
"""


def holding(home: Path, mode: str) -> subprocess.Popen[str]:
    """A process that holds the lock, alone or with a child, until its input ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(home), mode], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_process_is_refused_with_the_holders_name_and_served_after_its_death(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, user="ben")
    process = holding(tmp_path, "alone")
    try:
        assert lock_is_held(settings)
        with (
            pytest.raises(LockError, match=rf"build of anna \(process {process.pid}\)") as refused,
            warehouse_lock(settings, "publish", 0.2),
        ):
            pass
        assert refused.value.retryable
    finally:
        process.kill()
        process.communicate()
    with warehouse_lock(settings, "publish", 3600):
        assert lock_holder(settings).startswith("publish of ben")
    assert not lock_is_held(settings)


def test_who_waits_is_told_for_whom_and_how_long(tmp_path: Path) -> None:
    process = holding(tmp_path, "alone")
    said: list[str] = []
    try:
        with (
            pytest.raises(LockError, match=r"after 1 seconds: build of anna"),
            warehouse_lock(Settings(home=tmp_path, lock_wait=1), "publish", say=said.append),
        ):
            pass
    finally:
        process.kill()
        process.communicate()
    assert said == [f"waiting for build of anna (process {process.pid}), 1 seconds at most"]


def test_the_lock_outlives_a_killed_process_until_its_writing_child_ends(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    process = holding(tmp_path, "child")
    process.kill()
    process.wait()
    with pytest.raises(LockError), warehouse_lock(settings, "ingest", 0.2):
        pass
    process.communicate()  # ends the input of the child
    with warehouse_lock(settings, "ingest", 3600):
        pass
