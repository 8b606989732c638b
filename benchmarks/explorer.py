"""How large the explorer is, how soon it can be used, and how smoothly the threshold is dragged.

    python benchmarks/explorer.py [--forecast FOLDER] [--libraries FILE ...]

Without a saved forecast the bundled panel is forecast by ``naive`` with 2,000 draws, which has the
same size. Needs Chromium. Frames are those that the browser shows while the threshold is dragged
for two seconds over the whole chart; ``work`` is the script's own time for one such move. Libraries
are bundles of JavaScript: their size, and the time until a page that holds nothing else has run
them.
"""

from __future__ import annotations

import argparse
import itertools
import math
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import forecast as fc
from forecast.reports.explorer import explore

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "reports"))
from chromium import Browser

SHOCKS = ("russia-kazakhstan", "labour-return", "afghanistan")
#: Counts frames, and the longest time between two of them.
COUNTER = """window.frames_ = []; (function next(now) {
  window.frames_.push(now); if (!window.done_) requestAnimationFrame(next);
})(performance.now()); 0"""


def middle(numbers: list[float]) -> float:
    return sorted(numbers)[len(numbers) // 2]


def started(browser: Any, page: Path, ready: str, times: int = 5) -> float:
    """Return the middle time from the start of navigation until the page can be used, in ms."""
    found = []
    for _ in range(times):
        browser.open(page.as_uri())
        found.append(float(browser.wait(ready)))
    return middle(found)


def dragged(browser: Any, seconds: float = 2.0) -> dict[str, float]:
    """Drag the threshold up and down; return frames a second, and the longest wait in ms."""
    x, y = browser.middle("#threshold .pill")
    browser.look(COUNTER)
    browser.mouse("Moved", x, y)
    browser.mouse("Pressed", x, y, held=True)
    start = time.monotonic()
    while (now := time.monotonic() - start) < seconds:
        browser.mouse("Moved", x, y + 110 * math.sin(5 * now), held=True)
    browser.mouse("Released", x, y)
    browser.look("window.done_ = true")
    frames = browser.look("window.frames_")
    waits = [later - earlier for earlier, later in itertools.pairwise(frames)]
    return {"frames a second": 1000 * len(waits) / (frames[-1] - frames[0]), "longest": max(waits)}


def moved(browser: Any) -> float:
    """Return the script's own time for one move of the threshold by key, in ms."""
    script = """(async () => {
      const found = [];
      const mark = () => document.getElementById('threshold');
      for (let i = 0; i < 60; i += 1) {
        const key = i % 2 ? 'ArrowUp' : 'ArrowDown';
        mark().dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));
        await new Promise((resolve) => requestAnimationFrame((begun) => {
          resolve(found.push(performance.now() - begun)); }));
      }
      return found.sort((a, b) => a - b)[30]; })()"""
    return float(browser.look(script))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--forecast", type=Path)
    parser.add_argument("--libraries", type=Path, nargs="*", default=[])
    given = parser.parse_args()
    if given.forecast is None:
        outlook = fc.forecast(fc.load("central-asia"), "naive")
    else:
        outlook = fc.open(given.forecast)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        begun = time.process_time()
        page = explore(outlook, folder=folder, scenarios=SHOCKS)
        print(f"written in {time.process_time() - begun:.2f} s, {page.stat().st_size / 1e6:.2f} MB")
        with Browser(folder / "profile") as browser:
            ready = "document.documentElement.dataset.ready"
            print(f"can be used after {started(browser, page, ready):.0f} ms (middle of five)")
            for what, value in {**dragged(browser), "work": moved(browser)}.items():
                print(f"{what}: {value:.1f}{'' if 'second' in what else ' ms'}")
            for library in given.libraries:
                alone = folder / "alone.html"
                alone.write_text(
                    "<!doctype html><meta charset=utf-8><title>alone</title>"
                    f'<script src="{library.resolve().as_uri()}"></script>'
                    "<script>window.ready_ = performance.now();</script>",
                    encoding="utf-8",
                )
                taken = started(browser, alone, "window.ready_")
                print(f"{library.name}: {library.stat().st_size / 1e3:.0f} kB, run {taken:.0f} ms")


if __name__ == "__main__":
    main()
