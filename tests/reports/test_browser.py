"""The page in headless Chromium: every figure there, nothing fetched, nothing spilling over."""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import forecast as fc
from forecast.language import LANGUAGES
from forecast.reports.horizon import report
from forecast.reports.targets import parse

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
#: Where `npm install --prefix build axe-core` puts it; another place by the variable.
AXE = Path(
    os.environ.get("AXE_CORE")
    or Path(__file__).resolve().parents[2] / "build/node_modules/axe-core/axe.min.js"
)
OPTIONS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--hide-scrollbars", "--enable-logging=stderr", "--virtual-time-budget=20000",
)  # fmt: skip
#: Measures the page from inside; what stands wider than the page must scroll by itself.
PROBE = """<script>
addEventListener("load", () => {
  const scrolls = (node) => node.closest(".scroll") !== null;
  const width = document.documentElement.clientWidth;
  const wide = [...document.querySelectorAll("body *")].filter((node) =>
    node.getBoundingClientRect().right > width + 1 && !scrolls(node) &&
    !node.classList.contains("skip") && !node.closest("svg > *"));
  const drawings = [...document.querySelectorAll("figure svg")];
  const boxes = drawings.map((node) => node.getBoundingClientRect());
  const touch = (a, b) => a.left < b.right - 1 && b.left < a.right - 1 &&
    a.top < b.bottom - 3 && b.top < a.bottom - 3;
  const overlaps = [...document.querySelectorAll("svg")].flatMap((svg) => {
    const texts = [...svg.querySelectorAll("text")];
    const places = texts.map((node) => node.getBoundingClientRect());
    return texts.filter((_, i) => places.some((b, j) => j > i && touch(places[i], b)))
      .map((node) => svg.querySelector("title").textContent + ": " + node.textContent);
  });
  const keys = [...document.querySelectorAll(".legend .key")].map((node) => {
    const style = getComputedStyle(node);
    return [style.width, style.height, style.borderTop, style.borderLeft, style.borderRight,
      style.borderRadius, style.backgroundColor].join();
  });
  const found = { width, keys: keys.length, unlike: new Set(keys).size,
    scroll: document.documentElement.scrollWidth,
    wide: wide.slice(0, 5).map((node) => node.tagName + "." + node.className),
    figures: boxes.length, empty: boxes.filter((box) => box.width < 50 || box.height < 30).length,
    tables: document.querySelectorAll("table").length,
    requests: performance.getEntriesByType("resource").length,
    overlaps };
  const said = JSON.stringify(found);
  if (parent === window) document.documentElement.dataset.probe = said;
  else parent.postMessage(said, "*");
});
</script>"""
FRAME = """<!doctype html><title>narrow</title><body style="margin:0"><script>
addEventListener("message", (event) => { document.documentElement.dataset.probe = event.data; });
</script><iframe src="page.html" style="border:0;width:390px;height:9000px"></iframe></body>"""

pytestmark = [
    pytest.mark.thorough,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine"),
]


@pytest.fixture(scope="module")
def edition(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], list[Path]]:
    """Makes the bundled report with everything that it can hold."""
    folder = tmp_path_factory.mktemp("browser")
    panel = fc.load("central-asia")
    earlier = report(fc.forecast(panel, model="naive", draws=100), folder=folder, name="earlier")
    track = fc.backtest(
        panel, ["naive", "mean"], range(2012, 2018), (1, 3), draws=100, jobs=1, joint=False
    )
    outlook = fc.forecast(panel, model="mean", draws=200)

    @cache
    def make(language: str) -> list[Path]:
        return report(
            outlook, track, folder=folder, language=language, previous=earlier[3],
            thresholds=[parse("KAZ immigration > 30000")], targets="concepts",
            scenarios=["russia-kazakhstan", "labour-return", "afghanistan"],
        )  # fmt: skip

    return make


@pytest.fixture(scope="module", params=LANGUAGES)
def main(request: pytest.FixtureRequest, edition: Callable[[str], list[Path]]) -> Path:
    return edition(request.param)[0]


@pytest.fixture(scope="module", params=[*LANGUAGES, "en-annex", "ru-annex"])
def page(request: pytest.FixtureRequest, edition: Callable[[str], list[Path]]) -> Path:
    language, _, annex = request.param.partition("-")
    return edition(language)[4 if annex else 0]


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    assert CHROMIUM is not None
    profile = f"--user-data-dir={folder / 'profile'}"
    return subprocess.run(
        [CHROMIUM, *OPTIONS, profile, *arguments],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip


def look(folder: Path, text: str, width: int, probe: str = PROBE) -> tuple[Any, str]:
    """Open a page at a width; return what the probe found and what the console said.

    The page forbids itself every request, so a try would stand on the console.
    """
    assert "default-src 'none'; style-src 'unsafe-inline'; img-src data:;" in text
    text = text.replace("default-src 'none';", "default-src 'none'; script-src 'unsafe-inline';")
    (folder / "page.html").write_text(text.replace("</body>", probe + "</body>"), encoding="utf-8")
    (folder / "frame.html").write_text(FRAME, encoding="utf-8")
    # A window is never narrower than 500 pixels, a frame is.
    opened = folder / ("page.html" if width > 500 else "frame.html")
    done = run(folder, f"--window-size={max(width, 500)},900", "--dump-dom", opened.as_uri())
    told = re.search(r'data-probe="([^"]+)"', done.stdout)
    assert told is not None, done.stderr
    console = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    return json.loads(html.unescape(told[1])), "\n".join(console)


@pytest.mark.parametrize("width", [1200, 768, 390])
def test_every_figure_is_shown_and_nothing_is_fetched(
    page: Path, tmp_path: Path, width: int
) -> None:
    text = page.read_text(encoding="utf-8")
    found, console = look(tmp_path, text, width)
    assert found["width"] == width
    assert found["scroll"] <= width
    assert found["wide"] == []
    annex = "-annex" in page.name
    assert found["figures"] == text.count("<svg ") > (45 if annex else 25)
    assert found["empty"] == 0
    assert found["unlike"] == found["keys"] > (10 if annex else 6)
    assert found["overlaps"] == []
    assert found["tables"] == text.count("<table")
    assert found["requests"] == 0
    assert console == ""


def test_the_check_sees_a_request(page: Path, tmp_path: Path) -> None:
    text = page.read_text(encoding="utf-8")
    spoilt = text.replace("<main", '<img src="https://example.org/dot.png" alt=""><main', 1)
    assert "example.org" in look(tmp_path, spoilt, 1200)[1]


def test_nothing_is_lost_without_scripts(page: Path) -> None:
    """The page has no script at all, so that on and off are the same."""
    text = page.read_text(encoding="utf-8")
    assert "<script" not in text
    assert not re.search(r"\son[a-z]+=", text)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1200, 390])
def test_axe_finds_nothing_serious(page: Path, tmp_path: Path, scheme: str, width: int) -> None:
    if not AXE.is_file():
        pytest.skip(f"no axe-core on this machine (npm install --prefix build axe-core): {AXE}")
    text = page.read_text(encoding="utf-8")
    if scheme == "dark":
        assert "@media (prefers-color-scheme: dark)" in text
        text = text.replace("@media (prefers-color-scheme: dark)", "@media all")
    assert violations(tmp_path, text, width) == []


def test_axe_sees_what_is_wrong(page: Path, tmp_path: Path) -> None:
    if not AXE.is_file():
        pytest.skip(f"no axe-core on this machine (npm install --prefix build axe-core): {AXE}")
    text = page.read_text(encoding="utf-8")
    spoilt = text.replace("--muted: #56616c", "--muted: #b0b8c0").replace(
        ' lang="', ' data-was="', 1
    )
    assert {"color-contrast", "html-has-lang"} <= set(violations(tmp_path, spoilt, 1200))


def violations(folder: Path, text: str, width: int) -> list[str]:
    """Return the rules of axe-core that a page breaks seriously."""
    axe = AXE.read_text(encoding="utf-8").replace("</script", "<\\/script")
    run = (
        "addEventListener('load', () => axe.run(document, {resultTypes: ['violations']})"
        ".then((found) => { const said = JSON.stringify(found.violations"
        ".filter((rule) => ['serious', 'critical'].includes(rule.impact)).map((rule) => rule.id));"
        "if (parent === window) document.documentElement.dataset.probe = said;"
        "else parent.postMessage(said, '*'); }));"
    )
    probe = f"<script>{axe}</script><script>{run}</script>"
    return list(look(folder, text, width, probe)[0])


def sheets(page: Path, folder: Path) -> int:
    """Return on how many sheets of A4 a page is printed."""
    counter = shutil.which("pdfinfo")
    if counter is None:
        pytest.skip("no pdfinfo on this machine to count the printed pages with")
    target = folder / "counted.pdf"
    run(folder, f"--print-to-pdf={target}", "--no-pdf-header-footer", page.as_uri())
    said = subprocess.run([counter, target], capture_output=True, text=True, check=True).stdout
    assert "(A4)" in said
    return int(re.search(r"^Pages:\s+(\d+)", said, re.MULTILINE)[1])  # type: ignore[index]


def test_the_main_report_is_ten_sheets_at_most(main: Path, tmp_path: Path) -> None:
    assert 5 < sheets(main, tmp_path) <= 10


def test_the_front_page_is_one_sheet(main: Path, tmp_path: Path) -> None:
    text = main.read_text(encoding="utf-8")
    start, end = (
        text.index("</aside>\n</section>") + len("</aside>\n</section>"),
        text.index("</main>"),
    )
    (tmp_path / "front.html").write_text(text[:start] + text[end:], encoding="utf-8")
    # What is left behind it is the footer, which the forced break puts on a sheet of its own.
    assert sheets(tmp_path / "front.html", tmp_path) == 2


def test_it_prints(page: Path, tmp_path: Path) -> None:
    target = tmp_path / "report.pdf"
    run(tmp_path, f"--print-to-pdf={target}", "--no-pdf-header-footer", page.as_uri())
    assert target.read_bytes().startswith(b"%PDF")
    assert target.stat().st_size > 20_000
    reader = shutil.which("pdftotext")
    if reader is None:
        pytest.skip("no pdftotext on this machine to read the printed page with")
    said = subprocess.run(
        [reader, "-layout", target, "-"], capture_output=True, text=True, check=True
    )
    printed = re.sub(r"\s+", "", said.stdout)
    text = page.read_text(encoding="utf-8")
    titles = re.findall(r"<(?:h[123]|figcaption|caption)[^>]*>(?:<strong>)?([^<]+)", text)
    assert len(titles) > (100 if "-annex" in page.name else 30)
    missing = [t for t in titles if re.sub(r"\s+", "", html.unescape(t)) not in printed]
    assert missing == []
