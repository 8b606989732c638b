"""The manifest of an edition, and what changed since an earlier one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from forecast.errors import DataError
from forecast.language import Language
from forecast.outlook import Forecast
from forecast.reports import labels
from forecast.reports.numbers import rounded
from forecast.reports.series_view import Subject

FORMAT = "migration-forecast-report/1"


def manifest(
    outlook: Forecast,
    known: Sequence[Subject],
    contents: Mapping[str, bytes],
    scenarios: Sequence[str] = (),
) -> str:
    """Return the manifest as JSON: what was made from what, and the numbers that it said.

    Parameters
    ----------
    outlook : Forecast
    known : sequence of Subject
    contents : mapping of file name to bytes
        The files of the edition.
    scenarios : sequence of str
        Names of the what-ifs that the page shows beside the forecast.
    """
    attributes = outlook.paths.attrs
    stated = ("model", "seed", "origin", "as_of", "version", "data_hash")
    described = {
        "format": FORMAT,
        **{name: _plain(attributes[name]) for name in stated},
        "draws": outlook.paths.sizes["draw"],
        "horizons": list(outlook.horizons),
        **({"scenarios": list(scenarios)} if scenarios else {}),
        "sha256": {name: hashlib.sha256(data).hexdigest() for name, data in contents.items()},
        "expected": [_said(s, year) for s in known for year in s.horizons if year in s.years],
    }
    return json.dumps(described, indent=1, ensure_ascii=False) + "\n"


def read(path: str | Path) -> dict[str, Any]:
    """Read the manifest of an earlier edition.

    Raises
    ------
    DataError
        If the file is not there or is not a manifest of a report.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataError(f"{path} does not exist. Give the manifest of an earlier report.") from None
    except (UnicodeDecodeError, json.JSONDecodeError):
        content = None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise DataError(
            f"{path} is not the manifest of a report. Give a file that ends in .manifest.json."
        )
    return content


def changes(
    earlier: Mapping[str, Any], outlook: Forecast, known: Sequence[Subject], words: Language
) -> dict[str, Any]:
    """Return what changed since an earlier edition: causes, and the numbers of countries.

    Returns
    -------
    dict
        ``causes``, sentences; ``rows``, one per national series and target year that
        both editions forecast, with the median and 80 % interval then and now.
    """
    attributes = outlook.paths.attrs
    then = {
        (row["source"], row["location"], row["measure"], row["year"]): row
        for row in earlier["expected"]
    }
    rows = []
    for subject in known:
        for year in subject.horizons if subject.national else ():
            before = then.get((*subject.key, year))
            if before is None or year not in subject.years:
                continue
            source, place, measure = subject.key
            rows.append(
                {
                    "place": labels.place(place, words),
                    "measure": labels.measure(measure, words),
                    "source": labels.source(source, words),
                    "year": year,
                    "then": _shown(before, subject.series.signed, words),
                    "now": _shown(_said(subject, year), subject.series.signed, words),
                }
            )
    causes = []
    if earlier["data_hash"] != attributes["data_hash"]:
        causes.append(words.say("The data are newer or revised."))
    if earlier["model"] != attributes["model"]:
        causes.append(
            words.say(
                "The model was {then}, now it is {now}.",
                then=earlier["model"],
                now=attributes["model"],
            )
        )
    if earlier["version"] != attributes["version"]:
        causes.append(
            words.say(
                "The program was version {then}, now it is {now}.",
                then=earlier["version"],
                now=attributes["version"],
            )
        )
    if not causes:
        causes.append(words.say("Data, model and program are the same."))
    return {"causes": causes, "rows": rows}


def _said(subject: Subject, year: int) -> dict[str, Any]:
    source, place, measure = subject.key
    lower, middle, upper = np.quantile(subject.at(year), [0.1, 0.5, 0.9])
    return {
        "source": source,
        "location": place,
        "measure": measure,
        "year": year,
        "median": round(float(middle)),
        "lower_80": round(float(lower)),
        "upper_80": round(float(upper)),
    }


def _shown(row: Mapping[str, Any], signed: bool, words: Language) -> list[str]:
    names = ("median", "lower_80", "upper_80")
    return [words.persons(rounded(float(row[name]), 3), sign=signed) for name in names]


def _plain(value: object) -> object:
    return value.item() if isinstance(value, np.generic) else value
