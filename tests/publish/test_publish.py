"""Publish: each audience gets its tables and columns only, readers see a whole old or a whole new copy."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from dealermart import publish
from dealermart.base import BuildError, Settings


def model(name: str, audience: list[str], columns: dict[str, bool]) -> dict[str, object]:
    return {
        "resource_type": "model",
        "schema": "marts",
        "alias": name,
        "config": {"meta": {"audience": audience} if audience else {}},
        "columns": {column: {"config": {"meta": {"hr_only": hr_only}}} for column, hr_only in columns.items()},
    }


NODES = {
    "model.x.dim_member": model("dim_member", ["bi", "hr"], {"member_id": False, "base_pay_amount": True}),
    "model.x.mart_review__member_quarter": model(
        "mart_review__member_quarter", ["hr"], {"member_id": False, "rating": False}
    ),
    "model.x.int_secret": model("int_secret", [], {"member_id": False}),
    "test.x.unique": {"resource_type": "test"},
}


@pytest.fixture
def build(settings: Settings) -> Callable[[int], None]:
    """Pretend that a build ended well and left ``rows`` members."""

    def write(rows: int) -> None:
        settings.warehouse.parent.mkdir(parents=True, exist_ok=True)
        con = duckdb.connect(str(settings.warehouse))
        con.execute("create schema if not exists marts")
        con.execute(
            f"create or replace table marts.dim_member as select 'M' || i as member_id, cast(i * 1000 as decimal(18,4)) as base_pay_amount from range({rows}) as r(i)"
        )
        con.execute(
            "create or replace table marts.mart_review__member_quarter as select 'M1' as member_id, 'good' as rating"
        )
        con.execute("create or replace table marts.int_secret as select 'M1' as member_id")
        con.close()
        target = settings.home / "dbt" / "target"
        target.mkdir(parents=True, exist_ok=True)
        (target / "manifest.json").write_text(json.dumps({"nodes": NODES}))
        state = {"done": {"seq": 1, "as_of": "2026-06-08 06:00:00.000000", "period_end": "2026-07-01"}, "attempt": None}
        settings.warehouse.with_suffix(".state.json").write_text(json.dumps(state))

    return write


def tables(path: Path) -> dict[str, list[str]]:
    con = duckdb.connect(str(path), read_only=True)
    try:
        found = con.execute(
            "select table_name, list(column_name order by column_index) from duckdb_columns() where not internal group by 1"
        ).fetchall()
        return dict(found)
    finally:
        con.close()


def test_bi_gets_neither_hr_tables_nor_hr_columns(settings: Settings, build: Callable[[int], None]) -> None:
    build(3)
    publish.run(settings)
    bi, hr = settings.published / "bi", settings.published / "hr"
    assert tables(bi / publish.FILE) == {"about": ["name", "value"], "dim_member": ["member_id"]}
    assert tables(hr / publish.FILE) == {
        "about": ["name", "value"],
        "dim_member": ["member_id", "base_pay_amount"],
        "mart_review__member_quarter": ["member_id", "rating"],
    }
    assert [path.name for path in sorted((bi / "parquet").iterdir())] == ["dim_member.parquet"]
    assert [column[0] for column in duckdb.read_parquet(str(bi / "parquet" / "dim_member.parquet")).description] == [
        "member_id"
    ]
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
    build(6)
    publish.run(settings)
    assert len(list((settings.published / "versions").glob("bi-*"))) == 2, "the copy in use and the one before"


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


def test_a_fault_while_copying_leaves_the_old_copy(
    settings: Settings, build: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    build(3)
    publish.run(settings)
    before = (settings.published / "hr").resolve()
    build(5)
    monkeypatch.setitem(NODES, "model.x.gone", model("gone", ["hr"], {"a": False}))
    (settings.home / "dbt" / "target" / "manifest.json").write_text(json.dumps({"nodes": NODES}))
    with pytest.raises(duckdb.Error):
        publish.run(settings)
    assert (settings.published / "hr").resolve() == before
    assert (settings.published / "bi").resolve().name.split("-")[1:] == before.name.split("-")[1:], (
        "all audiences or none"
    )
