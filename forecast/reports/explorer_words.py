"""What the explorer's program says: messages with places that are filled in on the page."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from forecast import measures
from forecast.language import Language, message
from forecast.reports.sentences import LIKELIHOOD

_NET = (
    message("{chance} that net migration is below {limit} in {year}"),
    message("{chance} that net migration is above {limit} in {year}"),
    message("{chance} that more people leave than arrive in {year}"),
    message("{chance} that more people arrive than leave in {year}"),
)
#: What a threshold means: below it, above it, and the same where it is nought.
_CLAIMS = {
    "net_migration": _NET,
    "net_all_flows": _NET,
    "internal_net": (
        message("{chance} that net internal migration is below {limit} in {year}"),
        message("{chance} that net internal migration is above {limit} in {year}"),
    ),
    "immigration": (
        message("{chance} that fewer than {limit} people arrive in {year}"),
        message("{chance} that more than {limit} people arrive in {year}"),
    ),
    "emigration": (
        message("{chance} that fewer than {limit} people leave in {year}"),
        message("{chance} that more than {limit} people leave in {year}"),
    ),
    "internal_arrivals": (
        message("{chance} that fewer than {limit} people arrive from inside the country in {year}"),
        message("{chance} that more than {limit} people arrive from inside the country in {year}"),
    ),
    "internal_departures": (
        message(
            "{chance} that fewer than {limit} people leave for another part of the country in "
            "{year}"
        ),
        message(
            "{chance} that more than {limit} people leave for another part of the country in {year}"
        ),
    ),
    "flow": (
        message("{chance} that fewer than {limit} people move there in {year}"),
        message("{chance} that more than {limit} people move there in {year}"),
    ),
    "population": (
        message("{chance} that fewer than {limit} people live there in {year}"),
        message("{chance} that more than {limit} people live there in {year}"),
    ),
    "other": (
        message("{chance} that the figure of {year} is below {limit}"),
        message("{chance} that the figure of {year} is above {limit}"),
    ),
    "sum": (
        message("{chance} that the sum is below {limit} in {year}"),
        message("{chance} that the sum is above {limit} in {year}"),
    ),
    "difference": (
        message("{chance} that the difference is below {limit} in {year}"),
        message("{chance} that the difference is above {limit} in {year}"),
    ),
}
#: What is said otherwise of months, quarters and half-years.
_OF_PERIODS = {"year": message("Period"), "year_slider": message("Period in the chart")}
_BREAK = message("new level from this period")
#: What a flag says of one year.
_FLAGS = {
    "break": message("new level from this year"),
    "outlier": message("known distortion, kept out of the fit"),
    "interpolated": message("interpolated, kept out of the fit"),
    "suspect": message("disputed by another source"),
    "adjusted": message("corrected for territory that changed hands"),
    "provisional": message("provisional"),
    "census_rebasing": message("left empty, two censuses do not match"),
    "boundary_change": message("left empty, boundaries changed"),
    "rebased": message("left empty, population re-based"),
}
_SAID = {
    "under": message("under {number}"),
    "over": message("over {number}"),
    "otherwise": message("{word}. Middle estimate {middle}; four chances in five from {low} to "
                         "{high}."),
    "observed": message("Already observed: {figure}."),
    "no_answer": message("No answer for {year}: a series chosen has neither a forecast nor a "
                         "figure."),
    "all_draws": message("Standard error ±{points} points, from all {all} simulated futures."),
    "some_draws": message("Standard error ±{points} points, from {kept} of {all} simulated "
                          "futures, evenly taken and the same in every series."),
    "if": message("What if, not a forecast: {title}"),
    "given": message("Given that: {title}"),
    "if_short": message("What if"),
    "given_short": message("Given that"),
    "middle": message("Middle"),
    "figure": message("observed"),
    "interval": message("{level}\u202f% interval"),
    "between": message("from {low} to {high}"),
    "from": message("from"),
    "to": message("to"),
    "year": message("Year"),
    "remarks": message("Remarks"),
    "chance_below": message("Chance below {limit}"),
    "chance_above": message("Chance above {limit}"),
    "unit": message("persons a year"),
    "people": message("persons"),
    "plus": message("plus"),
    "minus": message("minus"),
    "what": message("Series"),
    "term": message("{place}: {measure}"),
    "removed": message("Leave out {what}"),
    "place_label": message("Place"),
    "measure_label": message("Measure"),
    "source_label": message("Source"),
    "sign_label": message("Add or take away"),
    "threshold": message("Threshold"),
    "year_slider": message("Year in the chart"),
    "fewer": message("fewer than"),
    "more": message("more than"),
    "under_side": message("below"),
    "over_side": message("above"),
    "chart": message("Past and forecast: {what}"),
    "table": message("Numbers of the chart: {what}"),
    "copied": message("The address of this view was copied."),
    "not_copied": message("The address bar holds this view: copy it from there."),
    "saved": message("Saved: {file}."),
    "unknown_view": message("The address names figures that are not here; what there is of it is "
                            "shown."),
    "past_line": message("Forecast from {origin}: {median}"),
    "edition_line": message("Edition of {day}: {median} ({low} to {high})"),
    "dots": message("{year}: each dot is one chance in twenty"),
}  # fmt: skip


def program_words(words: Language, counted: Iterable[str] = ()) -> dict[str, Any]:
    """Return every message of the explorer's program in a language.

    Parameters
    ----------
    words : Language
    counted : iterable of str
        The measures on the page; those without a question of their own are asked for a figure.
    """
    look = words.catalogue.gettext
    counted = list(counted)
    # Words of measures that few pages have stand only on those.
    seldom = {"flow", "other"} - set(counted)
    claims = {name: texts for name, texts in _CLAIMS.items() if name not in seldom}
    claims |= {name: _CLAIMS["other"] for name in counted if name not in claims}
    every = [measures.find(name) for name in counted]
    others = any(one.unit.en != "persons" for one in every)
    said, flags, units = _SAID, _FLAGS, {}
    if words.frequency != "year":
        said, flags = _SAID | _OF_PERIODS, _FLAGS | {"break": _BREAK}
    if others:
        each = [words.lookup(one.unit.said(words.code)) for one in every]
        units["people"] = "; ".join(dict.fromkeys(each))
    return {
        **{name: look(text) for name, text in said.items()},
        **units,
        "claims": {name: [look(text) for text in texts] for name, texts in claims.items()},
        "flags": {name: look(text) for name, text in flags.items()},
        "likelihood": [[bound, look(word)] for bound, word, _ in LIKELIHOOD],
    }
