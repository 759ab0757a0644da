"""Publish: each audience gets its tables and columns only, readers see a whole old or a whole new copy."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
import threading
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from tests.publish import shop

from dealermart import publish
from dealermart.base import BuildError, Settings, utc_now
from dealermart.publish import served


@pytest.fixture
def build(settings: Settings) -> Callable[[int], None]:
    """Pretend that a build ended well and left ``rows`` members."""

    def write(rows: int) -> None:
        members = f"select 'M' || i, date '2025-01-01', date '9999-12-31', 'x', 'sales', 'North', 'R1', null, i from range({rows}) as r(i)"
        shop.build(settings, tables={"dim_member": members})

    return write


def tables(path: Path) -> dict[str, list[str]]:
    con = duckdb.connect(str(path), read_only=True)
    try:
        found = con.execute(
            "select table_name, list(column_name order by column_index) from duckdb_columns() where not internal and schema_name = 'main' group by 1"
        ).fetchall()
        return dict(found)
    finally:
        con.close()


def test_bi_gets_neither_hr_tables_nor_hr_columns(settings: Settings, build: Callable[[int], None]) -> None:
    build(3)
    publish.run(settings)
    bi, hr = settings.published / "bi", settings.published / "hr"
    seen, whole = tables(bi / publish.FILE), tables(hr / publish.FILE)
    assert seen.keys() == {
        "about",
        "dim_member",
        "dim_dealer",
        "bridge_assignment",
        "dim_period",
        "dim_subject",
        "mart_kpi__subject_period",
    }
    assert whole.keys() == seen.keys() | {"mart_review__rating", "fct_team_pulse"}
    assert set(whole["dim_member"]) - set(seen["dim_member"]) == {"base_pay_amount"}
    assert {path.stem for path in (bi / "parquet").iterdir()} == seen.keys() - {"about"}
    assert [
        column[0] for column in duckdb.read_parquet(str(bi / "parquet" / "dim_member.parquet")).description
    ] == seen["dim_member"]
    assert not stat.S_IMODE((hr / publish.FILE).stat().st_mode) & 0o007, "others must not read pay"
    assert not stat.S_IMODE(hr.resolve().stat().st_mode) & 0o007


def test_a_reader_keeps_its_copy_while_a_new_one_is_swapped_in(
    settings: Settings, build: Callable[[int], None]
) -> None:
    build(3)
    publish.run(settings)
    reader = duckdb.connect(str((settings.published / "bi" / publish.FILE).resolve()), read_only=True)
    build(5)
    publish.run(settings)
    assert reader.execute("select count(*) from dim_member").fetchall() == [(3,)]
    reader.close()
    fresh = duckdb.connect(str((settings.published / "bi" / publish.FILE).resolve()), read_only=True)
    assert fresh.execute("select count(*) from dim_member").fetchall() == [(5,)]
    fresh.close()


def test_copies_of_before_are_kept_for_some_days_and_the_last_one_always(
    settings: Settings, build: Callable[[int], None]
) -> None:
    def kept() -> list[Path]:
        return sorted((settings.published / "versions").glob("bi-*"), key=lambda path: path.name)

    for rows in (3, 4, 5):
        build(rows)
        publish.run(settings)
    first, second, third = kept()
    for old in (first, second, third):
        days_ago = time.time() - 8 * 24 * 3600  # published_keep_days is 7 by default
        os.utime(old, (days_ago, days_ago))
    build(6)
    publish.run(settings)
    assert kept()[0] == third and len(kept()) == 2, "what readers saw last stays, however old"
    draft = settings.published / "versions" / "bi-20200101T000000000-publish-abcdef"
    draft.mkdir()
    publish.run(settings, keep_previous=False)
    assert [path.name for path in kept()] == [(settings.published / "bi").resolve().name], "nothing of before remains"


def test_the_manifest_has_the_hash_and_the_rows_of_every_file(settings: Settings, build: Callable[[int], None]) -> None:
    build(3)
    result = publish.run(settings)
    folder = settings.published / "hr"
    told = json.loads((folder / "manifest.json").read_text("utf-8"))
    assert (told["audience"], told["run_id"]) == ("hr", result.run_id)
    files = {entry["file"]: entry for entry in told["files"]}
    assert files.keys() == {path.relative_to(folder).as_posix() for path in folder.rglob("*.parquet")} | {publish.FILE}
    for name, entry in files.items():
        assert entry["sha256"] == hashlib.sha256((folder / name).read_bytes()).hexdigest()
    assert files["parquet/dim_member.parquet"]["rows"] == 3
    assert not stat.S_IMODE((folder / "manifest.json").stat().st_mode) & 0o007


def test_served_tables_carry_what_they_mean_and_of_when_they_are(
    settings: Settings, build: Callable[[int], None]
) -> None:
    build(3)
    result = publish.run(settings)
    con = duckdb.connect(str((settings.published / "bi" / publish.FILE).resolve()), read_only=True)
    assert con.execute("select comment from duckdb_tables() where table_name = 'dim_member'").fetchall() == [
        ("The mart dim_member",)
    ]
    assert con.execute(
        "select count(*) from duckdb_columns() where schema_name = 'main' and not internal and table_name <> 'about' and comment is null"
    ).fetchall() == [(0,)]
    assert con.execute("select run_id, cast(as_of as varchar), table_count from meta.publication").fetchall() == [
        (result.run_id, "2026-06-08 06:00:00", 6)
    ]
    con.close()


def test_readers_never_fail_while_copies_are_swapped(settings: Settings, build: Callable[[int], None]) -> None:
    """Three busy readers, thirty swaps: each sees whole tables, none an error. Swaps of drafts made before."""
    build(3)
    publish.run(settings)
    versions = settings.published / "versions"
    first = (settings.published / "bi").resolve()
    drafts = []
    for number in range(30):
        folder = versions / f"bi-2999{number:04}"
        shutil.copytree(first, folder)
        drafts.append(served.Draft("bi", folder, {}))
    stop, faults, reads = threading.Event(), [], [0, 0, 0]

    def read(reader: int) -> None:
        while not stop.is_set():
            try:
                folder = (settings.published / "bi").resolve()
                con = duckdb.connect(str(folder / publish.FILE), read_only=True)
                rows = con.execute("select count(*) from dim_member").fetchall()
                con.close()
                if rows != [(3,)]:
                    faults.append(rows)
                reads[reader] += 1
            except duckdb.Error as error:
                faults.append(error)

    readers = [threading.Thread(target=read, args=(number,)) for number in range(3)]
    for thread in readers:
        thread.start()
    for new in drafts:
        served.swap(settings, new, 7, utc_now())
        time.sleep(0.01)
    stop.set()
    for thread in readers:
        thread.join()
    assert faults == []
    assert min(reads) > 0


def test_served_files_can_be_read_by_older_versions(settings: Settings, build: Callable[[int], None]) -> None:
    build(1)
    publish.run(settings)
    header = (settings.published / "bi" / publish.FILE).read_bytes()[:20]
    # Bytes 8 to 12 after the checksum: magic, then the storage version as a 64-bit number; 64 is v1.0.0.
    assert header[8:12] == b"DUCK"
    assert int.from_bytes(header[12:20], "little") == 64


def test_nothing_is_published_of_a_build_that_was_cut_off(settings: Settings, build: Callable[[int], None]) -> None:
    build(3)
    state = settings.warehouse.with_suffix(".state.json")
    state.write_text(json.dumps(json.loads(state.read_text()) | {"attempt": {"seq": 2}}))
    with pytest.raises(BuildError, match="no finished build"):
        publish.run(settings)
    assert not settings.published.exists()


def test_a_fault_while_copying_leaves_the_old_copy(settings: Settings, build: Callable[[int], None]) -> None:
    build(3)
    publish.run(settings)
    before = (settings.published / "hr").resolve()
    build(5)
    gone = shop.nodes() | shop.model("gone", {"a": shop.column(["hr"])}, ["a"], {"audience": ["hr"]})
    (settings.home / "dbt" / "target" / "manifest.json").write_text(json.dumps({"nodes": gone}))
    with pytest.raises(duckdb.Error):
        publish.run(settings)
    assert (settings.published / "hr").resolve() == before
    assert (settings.published / "bi").resolve().name.split("-")[1:] == before.name.split("-")[1:], (
        "all audiences or none"
    )
