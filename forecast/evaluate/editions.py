"""Earlier editions of a report, held against the figures that have come out since."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
from pydantic import ConfigDict, Field

from forecast import periods, validation
from forecast.config import Settings
from forecast.errors import DataError
from forecast.panel import Panel
from forecast.series_key import KEY

FORMAT = "migration-forecast-report/1"
ENDING = ".manifest.json"
#: Intervals that are judged: probability, lower and upper quantile.
LEVELS = ((50, 0.25, 0.75), (80, 0.1, 0.9), (95, 0.025, 0.975))
#: What a manifest without its table still tells.
_STATED = {"lower_80": 0.1, "median": 0.5, "upper_80": 0.9}
COLUMNS = (
    *("edition", "model", *KEY, "origin", "year", "median"),
    *(f"{side}_{level}" for level, *_ in LEVELS for side in ("lower", "upper")),
    *("chance_above_zero", "last_known", "observed", "error", "error_of_no_change", "wis"),
    *(f"inside_{level}" for level, *_ in LEVELS),
)


@dataclass(frozen=True, eq=False)
class Edition:
    """A report as it was published.

    Attributes
    ----------
    manifest : mapping
        What made it, see `forecast.reports.manifest`.
    quantiles : DataFrame
        ``source, location, measure, origin, year, quantile, value``, in persons.
    whole : bool
        Whether these are all quantiles, from the table of the edition.
    """

    manifest: Mapping[str, Any]
    quantiles: pd.DataFrame
    whole: bool

    @property
    def day(self) -> str:
        """Day of the newest figure that the edition knew, or its last period; what it is called."""
        return str(self.manifest["as_of"] or periods.label(self.manifest["origin"], self.frequency))

    @property
    def frequency(self) -> str:
        """What its periods are."""
        return str(self.manifest.get("frequency", "year"))

    def known(self, panel: Panel) -> Panel:
        """Return the figures that the edition knew."""
        if self.manifest["as_of"] and panel.last_release:
            return panel.as_of(self.manifest["as_of"])
        return panel.until(self.manifest["origin"])


class StatedNumber(Settings):
    """A number that a manifest states."""

    source: str
    location: str
    measure: str
    year: int
    median: float
    lower_80: float
    upper_80: float
    origin: int | None = None


class ManifestFile(Settings):
    """What is needed of a manifest; it has more."""

    model_config = ConfigDict(extra="allow")

    model: str
    version: str
    data_hash: str
    as_of: Annotated[str, Field(pattern=r"^(\d{4}-\d{2}-\d{2})?$")]
    origin: int
    frequency: Literal["year", "half-year", "quarter", "month"] = "year"
    sha256: dict[str, str]
    expected: list[StatedNumber]


def read_manifest(path: str | Path) -> dict[str, Any]:
    """Read the manifest of an earlier edition.

    Raises
    ------
    DataError
        If the file is not there or is not the manifest of a report.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataError(f"{path} does not exist. Give the manifest of an earlier report.") from None
    except (ValueError, RecursionError, IsADirectoryError):
        content = None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise DataError(
            f"{path} is not the manifest of a report. Give a file that ends in {ENDING}."
        )
    return ManifestFile.of(content, Path(path).name).model_dump()


def read_edition(path: str | Path) -> Edition:
    """Read an earlier edition: its manifest, and the table of quantiles beside it.

    Parameters
    ----------
    path : str or Path
        ``NAME.manifest.json``. Without the ``NAME.csv`` that it vouches for beside it, medians
        and 80 % intervals of the target years, which it holds, are all that can be judged.

    Raises
    ------
    DataError
        If the file is not there or is not the manifest of a report.
    """
    manifest = read_manifest(path)
    table = Path(path).with_name(Path(path).name.removesuffix(ENDING) + ".csv")
    content = table.read_bytes() if table.is_file() else b""
    columns = [*KEY, "origin", "year", "quantile", "value"]
    # By the sum and not by the name: editions are kept under names of their own.
    if hashlib.sha256(content).hexdigest() in manifest["sha256"].values():
        return Edition(manifest, _numbered(pd.read_csv(io.BytesIO(content)))[columns], whole=True)
    if not manifest["expected"]:
        return Edition(manifest, pd.DataFrame(columns=columns), whole=False)
    rows = pd.DataFrame(manifest["expected"])
    rows = rows.assign(origin=rows["origin"].fillna(manifest["origin"]).astype(int))
    rows = rows.rename(columns=_STATED).melt(
        [*KEY, "origin", "year"], list(_STATED.values()), "quantile", "value"
    )
    return Edition(manifest, rows.astype({"quantile": float}), whole=False)


def _numbered(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table of a report with numbers of periods for ``year`` and ``origin``."""
    if "period" not in table.columns:
        return table
    named = pd.concat([table["period"], table["origin"]]).astype(str).unique()
    numbers = {text: found[1] for text in named if (found := periods.parse(text))}
    table = table.rename(columns={"period": "year"})
    return table.assign(
        year=table["year"].astype(str).map(numbers), origin=table["origin"].astype(str).map(numbers)
    )


def read_editions(paths: Iterable[str | Path]) -> list[Edition]:
    """Read editions, each once, the oldest first; see `read_edition`."""
    read = {json.dumps(one.manifest): one for one in map(read_edition, paths)}
    return sorted(read.values(), key=lambda edition: edition.day)


def outturn(editions: Sequence[Edition], panel: Panel) -> pd.DataFrame:
    """Compare the forecasts of earlier editions with figures published since.

    Parameters
    ----------
    editions : sequence of Edition
    panel : Panel
        The newest figures, earlier releases included: the last figure that an edition knew
        is its "no change".

    Returns
    -------
    DataFrame
        One row per edition, series and year that was forecast and is known now: columns
        `COLUMNS`. ``edition`` is a day, figures are persons, ``error`` is observed less
        median, ``wis`` the weighted interval score of the intervals there are (Bracher et
        al. 2021, doi:10.1371/journal.pcbi.1008618). ``chance_above_zero`` is read off the
        quantiles, NaN for counts; it and ``wis`` are NaN without the table of the edition.
    """
    came = _figures(panel)
    parts = [_judged(one, came, _figures(one.known(panel))) for one in editions]
    parts = [part for part in parts if len(part)]
    if not parts:
        return pd.DataFrame(columns=list(COLUMNS))
    return pd.concat(parts, ignore_index=True).reindex(columns=list(COLUMNS))


def running_record(judged: pd.DataFrame) -> pd.DataFrame:
    """Sum up the outturn, for each edition and, in the last row, for all.

    Parameters
    ----------
    judged : DataFrame
        From `outturn`.

    Returns
    -------
    DataFrame
        ``edition, figures, mean_error, of_no_change`` (absolute, in persons), ``wis``,
        shares ``inside_50, inside_80, inside_95`` and ``brier``, the mean squared error of
        the chance that more arrive than leave.
    """
    columns = ["edition", "figures", "mean_error", "of_no_change", "wis"]
    columns += [*(f"inside_{level}" for level, *_ in LEVELS), "brier"]
    rows = []
    groups = [*judged.groupby("edition", sort=True), ("all", judged)]
    for edition, group in groups if len(judged) else []:
        signed = group.dropna(subset=["chance_above_zero"])
        brier = (signed["chance_above_zero"] - (signed["observed"] > 0)) ** 2
        rows.append(
            {
                "edition": edition,
                "figures": len(group),
                "mean_error": group["error"].abs().mean(),
                "of_no_change": group["error_of_no_change"].abs().mean(),
                "wis": group["wis"].mean(),
                **{f"inside_{level}": group[f"inside_{level}"].mean() for level, *_ in LEVELS},
                "brier": brier.mean(),
            }
        )
    return pd.DataFrame(rows, columns=columns)


def _figures(panel: Panel) -> pd.Series:
    rows = panel.latest
    return rows.set_index([*KEY, "year"])["value"].dropna()


def _judged(edition: Edition, came: pd.Series, known: pd.Series) -> pd.DataFrame:
    from forecast.scores import wis_of_intervals

    wide = edition.quantiles.pivot_table(
        index=[*KEY, "origin", "year"], columns="quantile", values="value"
    )
    wide.columns = wide.columns.astype(float).to_numpy().round(4)
    table = wide.index.to_frame(index=False)
    observed = came.reindex(pd.MultiIndex.from_frame(table[[*KEY, "year"]])).to_numpy(dtype=float)
    there = ~np.isnan(observed)
    if not there.any():
        return pd.DataFrame()
    wide, table, observed = wide[there], table[there].reset_index(drop=True), observed[there]
    last = known.reindex(pd.MultiIndex.from_frame(table[[*KEY, "origin"]])).to_numpy(dtype=float)
    median = wide[0.5].to_numpy()
    table = table.assign(
        edition=edition.day,
        model=str(edition.manifest["model"]),
        median=median,
        last_known=last,
        observed=observed,
        error=observed - median,
        error_of_no_change=observed - last,
        chance_above_zero=_above_zero(wide, table["measure"]),
    )
    intervals = [one for one in LEVELS if {one[1], one[2]} <= set(wide.columns)]
    for level, low, high in intervals:
        lower, upper = wide[low].to_numpy(), wide[high].to_numpy()
        table[f"lower_{level}"], table[f"upper_{level}"] = lower, upper
        table[f"inside_{level}"] = (observed >= lower) & (observed <= upper)
    if not edition.whole:
        return table.assign(chance_above_zero=np.nan, wis=np.nan)
    ends = [(level / 100, *wide[[low, high]].to_numpy(float).T) for level, low, high in intervals]
    table["wis"] = wis_of_intervals(median, ends, observed)[0]
    return table


def _above_zero(wide: pd.DataFrame, measures: pd.Series) -> np.ndarray:
    """Return the chance of more than nothing, between the quantiles that are known."""
    levels = wide.columns.to_numpy(dtype=float)
    chance = [1.0 - np.interp(0.0, row, levels, left=0.0, right=1.0) for row in wide.to_numpy()]
    signed = [validation.MEASURES[measure] for measure in measures]
    return np.where(signed, chance, np.nan)
