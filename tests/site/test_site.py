"""The whole site, made once: every page is there, its links hold on disk, nothing is asked of a server, all of it opens."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from html import escape
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from dealermart import site
from dealermart.base import REPO, BuildError, ConfigError, Settings
from dealermart.config import load_registry
from dealermart.site import make

pytestmark = pytest.mark.integration
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ITS_OWN = ("google.com", "googleapis.com", "gvt1.com")  # what the browser asks for itself


@pytest.fixture(scope="module")
def www(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("site")
    return site.run(Settings(home=home / "home"), home / "www").parent


def pages(www: Path) -> list[Path]:
    return sorted(path for path in www.rglob("*.html") if path.name != "dbt.html")


def test_there_is_a_page_for_each_table_plan_and_guide(www: Path) -> None:
    marts = {path.stem for path in (REPO / "dbt_project" / "models" / "marts").rglob("*.sql")}
    assert {path.stem for path in (www / "tables").iterdir()} == marts
    assert len(list((www / "plans").iterdir())) == len(list((REPO / "config" / "plans").rglob("*.yml")))
    assert (www / "guides" / "docs-operations.html").is_file()
    assert not [path for path in www.iterdir() if path.name.startswith((".", "target")) or path.name == "dbt"]


def test_every_kpi_stands_there_in_both_languages(www: Path) -> None:
    text = (www / "kpis.html").read_text("utf-8")
    kpis = load_registry(Settings(home=www)).kpis
    assert [kpi.code for kpi in kpis if f'id="{kpi.code}"' not in text or kpi.name_zh not in text] == []
    told = [escape(words or "missing") for kpi in kpis for words in (kpi.formula_zh, kpi.population_zh)]
    assert [words for words in told if f'<span lang="zh">{words}</span>' not in text] == []


def test_a_tables_page_has_columns_types_and_both_meanings(www: Path) -> None:
    text = re.sub(r"\s+", " ", (www / "tables" / "mart_kpi__sales_monitor_day.html").read_text("utf-8"))
    for words in ("销售日报", "净销售额累计", "The same from the first day of the quarter", "decimal(28,8)"):
        assert words in text
    assert "Dashboards of the BI team" in text  # its exposure


def test_a_column_that_means_something_else_elsewhere_says_so(www: Path) -> None:
    text = (www / "columns.html").read_text("utf-8")
    rows = [row for row in text.split("<tr data-row>") if row.startswith("<td><code>status</code>")]
    opportunity = [row for row in rows if "tables/fct_opportunity.html#status" in row]
    assert len(opportunity) == 1 and "open, won or lost" in opportunity[0]
    assert "tables/dim_dealer.html#status" not in opportunity[0]


def test_words_between_backticks_are_code_and_names_part_after_an_underscore_only(www: Path) -> None:
    text = (www / "tables" / "mart_kpi__subject_period.html").read_text("utf-8")
    assert "<code>company</code> for the whole" in text
    assert "<code>is_<wbr />complete</code>" in text
    assert "<code>mart_<wbr />kpi__<wbr />subject_<wbr />period</code>" in (www / "tables.html").read_text("utf-8")
    assert "<code>_delivery_<wbr />id</code>" in (www / "columns.html").read_text("utf-8")
    for page in (www / "tables.html", www / "columns.html", *(www / "tables").iterdir()):
        assert "`" not in page.read_text("utf-8"), page


def test_links_and_anchors_hold_on_disk(www: Path) -> None:
    broken = []
    for page in pages(www):
        for href in re.findall(r'href="([^"]+)"', page.read_text("utf-8")):
            parts = urlsplit(href)
            if parts.scheme or href == "#" or "#!/" in href:
                continue
            target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
            if not target.is_file() or (
                parts.fragment and f'id="{unquote(parts.fragment)}"' not in target.read_text("utf-8")
            ):
                broken.append(f"{page.relative_to(www)}: {href}")
    assert broken == []


def test_nothing_is_loaded_from_elsewhere_and_no_path_of_this_machine_stands_there(www: Path) -> None:
    for page in pages(www):
        text = page.read_text("utf-8")
        loaded = re.findall(r"<(?:script|img|link|iframe)[^>]*(?:src|href)=[\"']([^\"']+)", text)
        assert {address for address in loaded if not address.startswith("data:")} == set(), page
        assert not re.findall(r"url\(|@import", text), page
    for page in (*pages(www), www / "dbt.html"):
        assert str(REPO) not in page.read_text("utf-8"), page


def test_dbts_page_has_lineage_and_exposures(www: Path) -> None:
    text = (www / "dbt.html").read_text("utf-8")
    for name in ("exposure.dealermart.bi_dashboards", "model.dealermart.mart_kpi__sales_monitor_day", "parent_map"):
        assert name in text


def test_a_site_takes_the_place_of_the_one_before_and_of_nothing_else(
    www: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = {"nodes": {}, "exposures": {}}

    def stand_in(settings: Settings, out: Path) -> dict[str, object]:
        (out / "dbt.html").write_text("new", "utf-8")
        return manifest

    monkeypatch.setattr(make, "dbt_docs", stand_in)
    out = tmp_path / "www"
    shutil.copytree(www, out)
    site.run(Settings(home=tmp_path), out)
    assert (out / "dbt.html").read_text("utf-8") == "new"
    assert not list((out / "tables").glob("*")) if (out / "tables").exists() else True
    other = tmp_path / "photos"
    other.mkdir()
    (other / "cat.jpg").write_text("cat", "utf-8")
    with pytest.raises(ConfigError, match="holds something else than a site"):
        site.run(Settings(home=tmp_path), other)
    assert [path.name for path in other.iterdir()] == ["cat.jpg"]
    assert {path.name for path in tmp_path.iterdir()} == {"www", "photos"}


def test_a_project_that_dbt_does_not_take_leaves_the_old_site(
    www: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(settings: Settings, out: Path) -> dict[str, object]:
        raise BuildError("dbt parse failed")

    monkeypatch.setattr(make, "dbt_docs", broken)
    shutil.copytree(www, tmp_path / "www")
    with pytest.raises(BuildError):
        site.run(Settings(home=tmp_path), tmp_path / "www")
    assert (tmp_path / "www" / "index.html").read_text("utf-8") == (www / "index.html").read_text("utf-8")
    assert {path.name for path in tmp_path.iterdir()} == {"www"}


# ---------------------------------------------------------------------------------------------- a real browser


@pytest.fixture
def browse(tmp_path: Path) -> Callable[[str], tuple[str, set[str], list[str]]]:
    """Open an address in Chromium: the page as it then stands, hosts that were asked, messages of the console."""
    if CHROMIUM is None:
        pytest.skip("there is no Chromium here: the pages were looked at as files only (apt-get install chromium)")

    def look(address: str) -> tuple[str, set[str], list[str]]:
        net = tmp_path / "net.json"
        done = subprocess.run(
            [
                str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
                "--disable-background-networking", "--disable-component-update", "--disable-sync",
                "--enable-logging=stderr", f"--log-net-log={net}", "--virtual-time-budget=8000",
                f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", address,
            ],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        events = json.loads(net.read_text("utf-8"))["events"]
        urls = [event["params"]["url"] for event in events if "url" in (event.get("params") or {})]
        hosts = {urlsplit(url).hostname or "" for url in urls} - {""}
        said = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
        return done.stdout, {host for host in hosts if not host.endswith(ITS_OWN)}, said

    return look


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("index.html", "澜川户外"),
        ("tables.html", "销售日报"),
        ("columns.html", "净销售额"),
        ("kpis.html", "Net revenue"),
        ("tables/fct_sale_line.html", "销售明细"),
        ("plans/sales_commission.html", "净销售额提成"),
        ("guides/docs-operations.html", "Who is told"),
    ],
)
def test_a_page_opens_from_disk(
    www: Path, browse: Callable[[str], tuple[str, set[str], list[str]]], name: str, words: str
) -> None:
    dom, hosts, said = browse((www / name).as_uri())
    assert words in dom
    assert (hosts, said) == (set(), [])


def test_dbts_page_draws_a_model_and_asks_nobody(
    www: Path, browse: Callable[[str], tuple[str, set[str], list[str]]]
) -> None:
    model = f"{(www / 'dbt.html').as_uri()}#!/model/model.dealermart.mart_kpi__sales_monitor_day"
    dom, hosts, said = browse(model)
    assert "Where a quarter stands day by day" in re.sub(r"\s+", " ", dom)
    assert hosts == set()
    # Templates of its icons, before they are filled in, are no files; nothing else is complained about.
    assert [line for line in said if "getIcon(" not in line and "Unsafe attempt to load URL file:" not in line] == []


def test_dbts_page_begins_with_a_way_back(www: Path, browse: Callable[[str], tuple[str, set[str], list[str]]]) -> None:
    dom, _, _ = browse((www / "dbt.html").as_uri())
    assert 'href="index.html"' in dom and "Lineage 血缘" in dom
