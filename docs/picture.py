"""Draw the picture of the README: `python docs/picture.py`."""

from __future__ import annotations

from pathlib import Path

import forecast as fc
from forecast.artifacts import write_text
from forecast.language import language
from forecast.reports import charts
from forecast.reports.series_view import series_views

LIGHT = """svg { --ink: #16202b; --muted: #55606b; --rule: #d5dae0; --paper: #ffffff;
--accent: #0b5394; --band-50: #6fa3cf; --band-80: #a9c8e3; --band-95: #d6e5f2; --wash: #f2f5f8;
background: #ffffff; font-family: system-ui, "Noto Sans", sans-serif; }"""


def main() -> None:
    """Write docs/kazakhstan-immigration.svg from the bundled data."""
    panel = fc.load("central-asia").select(location="KAZ", source="kz-bns")
    outlook = fc.forecast(panel, horizons=(2025, 2027, 2030), seed=1)
    arrivals = next(s for s in series_views(outlook) if s.series.measure == "immigration")
    drawn = charts.fan(arrivals, language("en"))
    named = drawn.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" width="660" ', 1)
    styled = named.replace("<title", f"<style>{LIGHT}</style>\n<title", 1)
    write_text(Path(__file__).parent / "kazakhstan-immigration.svg", styled + "\n")


if __name__ == "__main__":
    main()
