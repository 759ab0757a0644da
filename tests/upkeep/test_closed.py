"""Who may see the state: nothing of it is open to other users, but the copies that are published for BI."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest
from tests.nobody import needs_root, seen_by_nobody, walkable

from dealermart import publish, upkeep
from dealermart.base import Settings
from dealermart.cli import main

SALES = "doc,line,kind,dealer,product,qty,net,cost,day\n"
DROP = {
    "dealers.csv": "dealer,since,name,region,city\nD1,2026-01-01,甲,East,上海\n",
    "sales.csv": SALES + "A1,1,invoice,D1,P1,2,9,1,2026-02-10\nA2,1,invoice,,P1,1,7,1,2026-02-21\n",
}
NODES = {
    "model.x.dim_dealer": {
        "resource_type": "model",
        "alias": "dim_dealer",
        "schema": "marts",
        "config": {"meta": {"audience": ["bi", "hr"]}},
        "columns": {"dealer_id": {"data_type": "varchar", "meta": {"audience": ["bi", "hr"], "pii": "none"}}},
    }
}


@pytest.fixture
def open_umask() -> Iterator[None]:
    """As a shell has it: what is made is open to be read by all, unless the program sees to it."""
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.fixture
def home(settings: Settings, open_umask: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """The test company in a home that does not exist yet, in a folder that everybody can enter; as commands find it."""
    with walkable() as place:
        here = replace(settings, home=place / "home")
        monkeypatch.setenv("DEALERMART_HOME", str(here.home))
        monkeypatch.setenv("DEALERMART_CONFIG", str(here.config))
        yield here


def modes(root: Path) -> dict[str, int]:
    """Rights of group and others, where they have any, of all below ``root`` and of itself."""
    found = {str(path.relative_to(root)): path for path in (root, *root.rglob("*")) if not path.is_symlink()}
    return {name: mode for name, path in found.items() if (mode := stat.S_IMODE(path.stat().st_mode) & 0o077)}


def built(settings: Settings) -> None:
    """Pretend that a build ended well."""
    settings.warehouse.parent.mkdir(parents=True)
    with duckdb.connect(str(settings.warehouse)) as con:
        con.execute("create schema marts; create table marts.dim_dealer as select 'D1' as dealer_id")
    target = settings.home / "dbt" / "target"
    target.mkdir(parents=True)
    (target / "manifest.json").write_text(json.dumps({"nodes": NODES}))
    state = {"done": {"seq": 1, "as_of": "2026-06-08 06:00:00.000000", "period_end": "2026-07-01"}, "attempt": None}
    settings.warehouse.with_suffix(".state.json").write_text(json.dumps(state))


def test_what_a_command_makes_is_its_users_own(home: Settings, drop: Callable[..., Path]) -> None:
    code = main(["ingest", "--source", "mini", "--received", "2026-03-02", "--drop", str(drop(DROP))])
    assert code == 3, "a row is in quarantine"
    made = {path.name for path in home.home.iterdir()}
    assert {"landing", "log", "lake", "quarantine", "runs", "reports"} <= made
    assert modes(home.home) == {}
    assert [one.ok for one in upkeep.examine(home) if one.name == "closed to others"] == [True]


def test_publishing_opens_the_copies_of_bi_and_nothing_beside_them(home: Settings) -> None:
    """Also in a program that began with an open umask, and with folders that people made."""
    (home.inbox / "mini").mkdir(parents=True)
    home.inbox.chmod(0o2777)  # the group stays in
    home.home.chmod(0o777)
    built(home)
    publish.run(home)
    bi = f"published/versions/{(home.published / 'bi').resolve().name}"
    found = modes(home.home)
    assert {name: f"{mode:03o}" for name, mode in found.items() if name.split("/")[0] in (".", "published")} == {
        ".": "071",
        **dict.fromkeys(["published", "published/versions", bi, f"{bi}/parquet"], "055"),
        **dict.fromkeys([f"{bi}/dealermart.duckdb", f"{bi}/manifest.json", f"{bi}/parquet/dim_dealer.parquet"], "044"),
    }
    assert {name: found[name] & 0o007 for name in ("inbox", "warehouse", "dbt", "runs")} == {
        "inbox": 0, "warehouse": 0, "dbt": 0, "runs": 0,
    }  # fmt: skip
    assert stat.S_IMODE(home.inbox.stat().st_mode) == 0o2770
    assert [one.ok for one in upkeep.examine(home) if one.name == "closed to others"] == [True]


@needs_root
def test_nobody_sees_only_the_copies_of_bi(home: Settings, drop: Callable[..., Path]) -> None:
    inbox = home.inbox / "mini" / "2026-03-02"
    inbox.mkdir(parents=True)
    for name, text in DROP.items():
        (inbox / name).write_text(text, "utf-8")
    assert "inbox/mini/2026-03-02/sales.csv" in seen_by_nobody(home.home), "somebody's own folder, before the first run"
    assert main(["ingest", "--source", "mini", "--received", "2026-03-02"]) == 3
    assert seen_by_nobody(home.home) == set()
    built(home)
    assert main(["publish"]) == 0
    assert {path.split("-")[0] for path in seen_by_nobody(home.home)} == {
        "published", "published/versions", "published/bi", "published/versions/bi",
    }  # fmt: skip


@needs_root
def test_a_group_that_was_let_in_reads_the_copies_of_hr(home: Settings) -> None:
    built(home)
    publish.run(home)
    hr = home.published / "hr"
    assert stat.S_IMODE(hr.resolve().stat().st_mode) == 0o700
    versions = home.published / "versions"
    os.chown(versions, -1, 4711)
    versions.chmod(0o2755)
    publish.run(home)
    rights = [path.stat() for path in (hr, hr / "parquet", hr / publish.FILE)]
    assert [(found.st_gid, f"{stat.S_IMODE(found.st_mode):o}") for found in rights] == [
        (4711, "2750"), (4711, "2750"), (4711, "640"),
    ]  # fmt: skip


OPENED = {
    "the inbox": ("inbox", 0o755, "enter inbox", "chmod -R o= {home}/inbox"),
    "a folder that can be entered, not listed": ("log", 0o711, "enter log", "chmod -R o= {home}/log"),
    "the copies of HR": ("published/versions/hr-1", 0o755, "enter published/versions/hr-1", "chmod -R o= {home}/published/versions/hr-1"),
    "the home can be written": (".", 0o777, "write to {home}", "chmod o-w {home}"),
    "a shared group is no fault": ("inbox", 0o2770, "", ""),
    "the home can be listed": (".", 0o755, "", ""),
    "the copies of BI": ("published/versions/bi-1", 0o755, "", ""),
}  # fmt: skip


@pytest.mark.parametrize("case", OPENED)
def test_doctor_names_what_is_open_and_how_to_close_it(settings: Settings, case: str) -> None:
    name, mode, text, mend = OPENED[case]
    for folder in ("inbox", "log", "published/versions/hr-1", "published/versions/bi-1"):
        (settings.home / folder).mkdir(parents=True)
    (settings.published).chmod(0o755)
    (settings.home / name).chmod(mode)
    (found,) = (one for one in upkeep.examine(settings) if one.name == "closed to others")
    assert found.ok is not bool(text)
    assert text.format(home=settings.home) in found.text
    if text:
        assert found.mend == f"run `{mend.format(home=settings.home)}`"
