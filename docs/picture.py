"""Take the picture of the README out of the published annex: `python docs/picture.py`."""

from __future__ import annotations

import re
from pathlib import Path

from forecast.artifacts import write_text

HERE = Path(__file__).parent
PAGE = HERE.parent / "reports" / "central-asia-annex.html"
PICTURE = HERE / "kazakhstan-immigration.svg"
CHART = "fan-kz-bns-KAZ-immigration"
LIGHT = """svg { --ink: #16202b; --muted: #55606b; --rule: #d5dae0; --paper: #ffffff;
--accent: #0b5394; --band-50: #6fa3cf; --band-80: #a9c8e3; --band-95: #d6e5f2; --wash: #f2f5f8;
background: #ffffff; font-family: system-ui, "Noto Sans", sans-serif; }"""


def picture() -> str:
    """Return the fan chart of Kazakhstan's arrivals as it stands in the annex, on its own."""
    page = PAGE.read_text(encoding="utf-8")
    drawn = re.search(rf'<svg [^>]*aria-labelledby="{CHART}-t.*?</svg>', page, re.DOTALL)
    if drawn is None:
        raise SystemExit(f"{PAGE.name} has no chart {CHART}; run make report.")
    named = drawn[0].replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" width="660" ', 1)
    return named.replace("<title", f"<style>{LIGHT}</style>\n<title", 1) + "\n"


if __name__ == "__main__":
    write_text(PICTURE, picture())
