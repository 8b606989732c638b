"""What stands on the page: everything the template needs, as plain values."""

from __future__ import annotations

from typing import Any

import pandas as pd
from markupsafe import Markup

from forecast import locations
from forecast.data import package
from forecast.horizons import CONCEPTS
from forecast.models.contract import FORECAST, NOT_FORECAST
from forecast.models.registry import table as model_table
from forecast.outlook import Forecast
from forecast.reports import charts, sentences
from forecast.reports.tables import LEVELS, intervals
from forecast.validation import KEY

Key = tuple[str, str, str]
#: Countries in this order, others behind them by name.
_ORDER = ("KAZ", "KGZ", "UZB", "TJK", "TKM")
#: Measures in this order within a country.
_MEASURES = tuple(sentences.MEASURE_NAMES)
_UN = "un-wpp"


def page(outlook: Forecast, track: object | None) -> dict[str, Any]:
    """Return the template's values.

    Parameters
    ----------
    outlook : Forecast
    track : optional
        The record of past forecasts, or None.
    """
    keys: list[Key] = list(outlook.series[KEY].itertuples(index=False, name=None))
    countries = sorted({locations.country_of(key[1]) for key in keys}, key=_rank)
    models = model_table().set_index("model")
    stated = models.loc[outlook.model] if outlook.model in models.index else None
    attributes = outlook.paths.attrs
    notes = outlook.notes.to_dict("records")
    return {
        "horizons": outlook.horizons,
        "levels": [round(100 * level) for level in LEVELS],
        "draws": outlook.paths.sizes["draw"],
        "attributes": attributes,
        "model": {
            "name": outlook.model,
            "title": outlook.model if stated is None else stated["title"],
            "summary": "" if stated is None else stated["summary"],
            "references": "" if stated is None else stated["references"],
        },
        "outside": _names(outlook, keys),
        "countries": [_country(outlook, code, keys) for code in countries],
        "unfit": [
            sentences.not_forecast_line(note) for note in notes if note["status"] == NOT_FORECAST
        ],
        "series": _provenance(outlook),
        "tables": _resources(keys),
        "track": track,
        "seed": attributes["seed"],
    }


def _rank(code: str) -> tuple[int, str]:
    return (_ORDER.index(code) if code in _ORDER else len(_ORDER), locations.name(code))


def _names(outlook: Forecast, keys: list[Key]) -> dict[str, bool]:
    """Return which kinds of source the page speaks of."""
    sources = {key[0] for key in keys}
    return {"un": _UN in sources, "registers": bool(sources - {_UN})}


def _country(outlook: Forecast, code: str, keys: list[Key]) -> dict[str, Any]:
    national = sorted(
        (key for key in keys if key[1] == code),
        key=lambda key: (key[0] != _UN, key[0], _MEASURES.index(key[2])),
    )
    regional = [key for key in keys if key[1] != code and locations.country_of(key[1]) == code]
    concept = CONCEPTS.get(code)
    targets = [y for y in (concept.target_years if concept else ()) if y in outlook.horizons]
    return {
        "code": code,
        "name": locations.name(code),
        "concept": sentences.concept_line(code),
        "targets": [
            {"year": year, "lines": [_line(outlook, key, year) for key in national]}
            for year in targets
        ],
        "brief": _brief(outlook, national, targets),
        "charts": [_chart(outlook, key) for key in national],
        "rows": intervals(outlook, national, outlook.horizons),
        "regions": _regions(outlook, regional),
    }


def _brief(outlook: Forecast, national: list[Key], targets: list[int]) -> list[dict[str, Any]]:
    """Return the first screen's sentences: the leading net series in every target year."""
    lead = next((key for key in national if _is_net(key)), None)
    if lead is None:
        return []
    return [
        {**_line(outlook, lead, year), "year": year, "target": year in targets}
        for year in outlook.horizons
    ]


def _is_net(key: Key) -> bool:
    return key[2] in {"net_migration", "net_all_flows"}


def _line(outlook: Forecast, key: Key, year: int) -> dict[str, Any]:
    source, place, measure = key
    named = {"location": place, "measure": measure, "source": source, "year": year}
    observed = _observed(outlook, key, year)
    return {
        "what": f"{sentences.MEASURE_NAMES[measure]} ({source})",
        "text": observed or sentences.expectation(outlook, **named),
        "more": "" if observed else sentences.surprise(outlook, **named),
    }


def _observed(outlook: Forecast, key: Key, year: int) -> str:
    series = next(series for series in outlook.history if series.key == key)
    if year > series.origin:
        return ""
    return sentences.observed_line(float(series.values[series.years == year][0]), series.signed)


def _chart(outlook: Forecast, key: Key) -> dict[str, Any]:
    source, place, measure = key
    notes = outlook.notes
    note = notes[(notes[KEY] == key).all(axis=1)].iloc[0].to_dict()
    return {
        "svg": Markup(charts.fan(outlook, place, measure, source)),  # noqa: S704  escaped inside
        "title": locations.name(place),
        "measure": sentences.MEASURE_NAMES[measure],
        "source": source,
        "flags": sentences.flags_line(note),
    }


def _regions(outlook: Forecast, regional: list[Key]) -> list[dict[str, Any]]:
    """Return the regions' charts and tables, one group per source and measure."""
    groups = []
    for source, measure in sorted({(key[0], key[2]) for key in regional}):
        keys = [key for key in regional if (key[0], key[2]) == (source, measure)]
        keys.sort(key=lambda key: locations.name(key[1]))
        places = [key[1] for key in keys]
        year = outlook.horizons[-1]
        ranked = charts.ranking(outlook, places, measure, source, year)
        groups.append(
            {
                "identity": charts.identity("regions", source, measure),
                "measure": sentences.MEASURE_NAMES[measure],
                "source": source,
                "year": year,
                "ranking": Markup(ranked),  # noqa: S704  escaped inside
                "charts": [_chart(outlook, key) for key in keys],
                "rows": intervals(outlook, keys, outlook.horizons),
            }
        )
    return groups


def _provenance(outlook: Forecast) -> list[dict[str, Any]]:
    """Return one row per series of the panel: where it comes from and what was used of it."""
    rows = []
    for note in outlook.notes.to_dict("records"):
        rows.append(
            {
                **note,
                "place": locations.name(str(note["location"])),
                "measure": sentences.MEASURE_NAMES[str(note["measure"])],
                "used": sentences.flags_line(note),
                "forecast": note["status"] == FORECAST,
            }
        )
    return rows


def _resources(keys: list[Key]) -> list[dict[str, Any]]:
    """Return the bundled tables that hold a source of the page."""
    sources = {key[0] for key in keys}
    parts = package.description()["panels"]["central-asia"]
    return [
        package.resource(part)
        for part in parts
        if sources & set(pd.read_csv(package.path_of(part), usecols=["source"])["source"])
    ]
