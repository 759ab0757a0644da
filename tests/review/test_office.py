"""Packs in a browser and on paper, the workbook in LibreOffice: with the programs of the machine, in `make test-office`.

What can be seen without them is looked at in ``test_packs`` and ``test_workbook``.
"""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from PIL import Image
from tests.review import made

from dealermart.base import Settings
from dealermart.review import Packs, Wanted, pack, printing, pull
from dealermart.review.labels import LABELS
from dealermart.review.sheets import SPECS

pytestmark = [
    pytest.mark.office,
    pytest.mark.integration,
    pytest.mark.filterwarnings("ignore:.*extension is not supported:UserWarning"),
]

NEEDED = ("chromium", "soffice", "pdftoppm", "pdfinfo")


@pytest.fixture(scope="session", autouse=True)
def programs() -> None:
    missing = [name for name in NEEDED if not shutil.which(name)]
    assert not missing, f"{', '.join(missing)} is not here; `make test-office` installs it as root"


def browse(page: Path, folder: Path, *more: str) -> tuple[str, list[str], set[str]]:
    """The document as the browser has it after loading, what its console says, and the hosts that the page asks for."""
    net = folder / "net.json"
    options = [*printing.options(folder / "profile"), "--enable-logging=stderr", "--v=0", f"--log-net-log={net}"]
    done = subprocess.run(
        [str(printing.found()), *options, "--dump-dom", *more, page.as_uri()],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    hosts = set(re.findall(r"https?://([\w.-]+)", net.read_text("utf-8")))
    own = {host for host in hosts if host.endswith(("google.com", "googleapis.com"))}  # the browser's, not the page's
    return done.stdout, [line for line in done.stderr.splitlines() if "CONSOLE" in line], hosts - own


MEASURE = """
<script>
addEventListener("load", () => {
  const inside = (a, b) => a.left >= b.left - 1 && a.right <= b.right + 1 && a.top >= b.top - 1 && a.bottom <= b.bottom + 1;
  const charts = [...document.querySelectorAll("svg")].map(svg => {
    const frame = svg.getBoundingClientRect();
    const drawn = [...svg.querySelectorAll("path, use")].filter(part => {
      const box = part.getBoundingClientRect();
      return box.width + box.height > 0 && getComputedStyle(part).visibility === "visible";
    });
    const cut = [...svg.querySelectorAll("text")].filter(text => !inside(text.getBoundingClientRect(), frame));
    return {width: frame.width, height: frame.height, drawn: drawn.length, cut: cut.map(text => text.textContent)};
  });
  const root = document.documentElement;
  const wide = root.scrollWidth - root.clientWidth;
  const sign = document.createElement("span");
  sign.style.cssText = "font-size:100px;position:absolute";
  sign.textContent = "绩";
  document.body.append(sign);
  document.title = JSON.stringify({charts, wide, sign: sign.getBoundingClientRect().width});
});
</script>
"""


@pytest.fixture(scope="module")
def packed(copy: Path, company: Settings, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Packs in both languages with their PDFs: of a member with all there is, of one without a score, of one with a very
    long comment, and of a team."""
    home = replace(company, home=tmp_path_factory.mktemp("packs"))
    pages: dict[str, Path] = {}
    for language in ("en", "zh"):
        done = pack(
            home, copy, made.QUARTER, Packs(language, members=["M1", "M6", "M8"], teams=["M9"], pay=True, pdf=True)
        )  # type: ignore[arg-type]
        pages |= {f"{path.parent.name}-{language}": path for path in (*done.members, *done.teams)}
    return pages


KEYS = [f"{name}-{language}" for name in ("M1", "M6", "M8", "M9") for language in ("en", "zh")]


def test_console_and_network_are_heard(tmp_path: Path) -> None:
    """So that its silence below means something: a script that fails, and a picture that cannot be fetched."""
    page = tmp_path / "bad.html"
    page.write_text("<script>throw new Error('heard')</script><img src='http://example.com/x.png'>", "utf-8")
    _, console, hosts = browse(page, tmp_path)
    assert any("heard" in line for line in console)
    assert hosts == {"example.com"}


@pytest.mark.parametrize("key", KEYS)
def test_a_page_opens_with_its_charts_drawn_and_nothing_cut(packed: dict[str, Path], key: str, tmp_path: Path) -> None:
    _, console, hosts = browse(packed[key], tmp_path)
    assert console == []
    assert hosts == set(), "nothing is fetched"
    page = tmp_path / "measured.html"
    page.write_text(packed[key].read_text("utf-8").replace("</body>", f"{MEASURE}</body>"), "utf-8")
    for width in ("1200,900", "700,900"):
        document, _, _ = browse(page, tmp_path, f"--window-size={width}")
        found = json.loads(html.unescape(re.findall(r"<title>(.*?)</title>", document, re.DOTALL)[0]))
        assert len(found["charts"]) == {"M1": 4, "M6": 1, "M8": 4, "M9": 1}[key[:2]]
        for chart in found["charts"]:
            assert chart["width"] > 150 and chart["height"] > 50
            assert chart["drawn"] > 3
            assert chart["cut"] == [], "every name and figure lies inside its chart"
        assert found["wide"] == 0, "the page is no wider than the window"
        assert found["sign"] == pytest.approx(100, abs=1), (
            "a Chinese sign has the width of one, so there is a font for it"
        )


@pytest.mark.parametrize("key", KEYS)
def test_a_page_prints_on_a4_with_free_margins(packed: dict[str, Path], key: str, tmp_path: Path) -> None:
    printed = packed[key].with_suffix(".pdf")
    told = subprocess.run(["pdfinfo", printed], capture_output=True, text=True, check=True).stdout
    assert re.search(r"Page size:\s+59[45]\.\d+ x 84[12]\.?\d* pts \(A4\)", told), told
    subprocess.run(["pdftoppm", "-r", "50", "-gray", "-png", printed, tmp_path / "page"], check=True)
    pages = sorted(tmp_path.glob("page*.png"))
    assert 1 <= len(pages) <= {"M8": 40}.get(key[:2], 5)
    for path in pages:
        with Image.open(path).convert("L") as picture:
            width, height = picture.size
            mm = width / 210
            for left, top, right, bottom in ((0, 0, 12, 297), (198, 0, 210, 297), (0, 0, 210, 12)):
                strip = picture.crop((int(left * mm), int(top * mm), int(right * mm), min(height, int(bottom * mm))))
                assert strip.getextrema()[0] > 200, f"{path.name}: ink in the margin"
            assert picture.getextrema()[0] < 120, f"{path.name}: an empty page"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_libreoffice_reads_the_workbook_and_comes_to_the_same_totals(
    copy: Path, company: Settings, tmp_path: Path, language: Any
) -> None:
    path = pull(replace(company, home=tmp_path / "home"), copy, made.QUARTER, Wanted(language, pay=True)).path
    bare = tmp_path / "bare.xlsx"
    with zipfile.ZipFile(path) as parts, zipfile.ZipFile(bare, "w") as out:
        for name in parts.namelist():  # without the values beside the formulas: it has to reckon them itself
            out.writestr(name, re.sub(rb"(</f>)<v>[^<]*</v>", rb"\1", parts.read(name)))
    done = subprocess.run(
        ["soffice", f"-env:UserInstallation={(tmp_path / 'office').as_uri()}", "--headless", "--convert-to", "xlsx:Calc MS Excel 2007 XML", "--outdir", tmp_path / "out", bare],
        capture_output=True, text=True, timeout=300, check=True,
    )  # fmt: skip
    assert "Error" not in done.stderr
    ours, theirs = (
        openpyxl.load_workbook(path, data_only=True),
        openpyxl.load_workbook(tmp_path / "out" / "bare.xlsx", data_only=True),
    )
    formulas = openpyxl.load_workbook(tmp_path / "out" / "bare.xlsx")
    assert theirs.sheetnames == ours.sheetnames
    compared = 0
    for sheet in ours:
        for row in sheet.iter_rows():
            for cell in row:
                other = theirs[sheet.title][cell.coordinate]
                assert other.data_type != "e", f"{sheet.title}!{cell.coordinate}"
                if isinstance(cell.value, (int, float)):
                    assert other.value == pytest.approx(cell.value), f"{sheet.title}!{cell.coordinate}"
                elif cell.value is not None:
                    assert other.value == cell.value, f"{sheet.title}!{cell.coordinate}"
                assert (formulas[sheet.title][cell.coordinate].data_type == "f") <= (sheet.title == ours.sheetnames[0])
                compared += cell.value is not None
    assert compared > 2000
    checks = [cell.value for row in theirs[ours.sheetnames[0]].iter_rows() for cell in row]
    assert checks.count(LABELS["ties"][("en", "zh").index(language)]) == len(SPECS) + 1, "pay by currency"
