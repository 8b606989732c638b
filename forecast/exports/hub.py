"""A Forecast for other programs: a hubverse hub, new or added to, and trajectories of bayesPop."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
import yaml

from forecast import artifacts, locations
from forecast.errors import DataError, unknown_name
from forecast.exports import files
from forecast.exports.files import ENDS, inactive_columns, with_ends
from forecast.exports.tasks import (
    Tasks,
    as_config,
    check_frequency,
    from_config,
    have_corridors,
    merged,
    observed,
    oracle,
    output_tables,
    tasks_of,
    versioned,
)
from forecast.panel import Panel
from forecast.series_key import several_sources
from forecast.shelf import read_toml, shelf

#: Samples of each task unless others are asked for: enough for a score, few enough for a mail.
SAMPLES = 100
TEAM = "forecast"


@contextmanager
def hub_folder(target: Path, contents: Mapping[str, bytes]) -> Iterator[None]:
    """Put files into a hub when the block succeeds; what others sent stays.

    The whole hub is made beside the one that stands there and takes its place at the end.

    Parameters
    ----------
    target : Path
        A hub of ours, or nothing.
    contents : mapping of str to bytes
        The files to add or to replace, by their path in the hub.
    """
    with artifacts.atomic_folder(target, _holds_hub) as temporary:
        there = {path.relative_to(target).as_posix(): path for path in target.rglob("*")}
        kept = {name: path.read_bytes() for name, path in there.items() if path.is_file()}
        for name, data in (kept | dict(contents)).items():
            (temporary / name).parent.mkdir(parents=True, exist_ok=True)
            (temporary / name).write_bytes(data)
        yield


def check_hub_folder(target: Path, history: Panel) -> None:
    """Refuse a folder that no forecast of these figures can be added to.

    Parameters
    ----------
    target : Path
        The folder of the hub; one that is missing or empty is fine.
    history : Panel
        The figures that the forecast was made from.

    Raises
    ------
    DataError
        If it is no hub, or one with other tasks, or only one of the two has days of release.
    """
    artifacts.check_folder(target, _holds_hub)
    earlier = earlier_hub(target)
    if earlier is not None:
        check_frequency(earlier[0], history.frequency)
    if earlier is not None and earlier[1] is not None:
        _check_days("as_of" in earlier[1], versioned(history))


def hub_files(
    series: pd.DataFrame,
    quantiles: pd.DataFrame,
    draws: xr.DataArray,
    history: Panel,
    *,
    team: str = TEAM,
    samples: int = SAMPLES,
    earlier: tuple[Tasks, pd.DataFrame | None] | None = None,
    name: str = "hub",
    notes: pd.DataFrame | None = None,
) -> dict[str, bytes]:
    """Return the files of a hub in the hubverse's format, version 6, by their path in it.

    Each origin is a round of its own; tasks are ``origin_date, source, target, location,
    horizon`` (periods: years, or months, quarters, half-years) with the derived
    ``target_end_date``, the last day of the period. Values are whole persons per period, net
    inflow positive. The same forecast gives the same files.

    Parameters
    ----------
    series : DataFrame
        ``location, measure, source, origin``, one row per forecast series.
    quantiles : DataFrame
        ``location, measure, source, year, quantile, value``, in persons per calendar year.
    draws : DataArray, dims (draw, series, year)
        The same years; attributes ``model, version, seed, data_hash``.
    history : Panel
        The observed figures.
    team : str
        Who made the forecast.
    samples : int
        Draws to write beside the quantiles, at most those there are; 0 for none.
    earlier : tuple of Tasks and DataFrame, optional
        Tasks and time series of the hub that this is added to.
    name : str
        Name of the hub.
    notes : DataFrame, optional
        `Forecast.notes`; those of corridors, such as which rest on the model, are in the metadata.

    Raises
    ------
    DataError
        If the panel has five-year periods, the hub other periods, there are fewer draws than
        samples, or the figures cannot be joined with those of the hub.

    References
    ----------
    Reich et al. (2022), doi:10.2105/AJPH.2022.306831; https://docs.hubverse.io
    """
    if history.step != 1:
        raise DataError(
            f"a hub asks for years, or parts of a year; the data have periods of {history.step} "
            "years. Give annual series."
        )
    available = draws.sizes["draw"]
    if not 0 <= samples <= available:
        raise DataError(f"samples is {samples}; give 0 to {available}, the draws there are.")
    # The same texts in tables and in the tasks, so that the hub stays in line with itself.
    series, quantiles = (
        inactive_columns(table, ("source", "measure", "location")) for table in (series, quantiles)
    )
    frequency = history.frequency
    asked = tasks_of(series, draws["year"].to_numpy().tolist(), samples, frequency)
    if earlier is not None:
        check_frequency(earlier[0], frequency)
    if earlier is not None and have_corridors(asked) and not have_corridors(earlier[0]):
        raise DataError(
            "the hub has no corridors: its tables lack the columns origin and destination. Choose "
            "another folder."
        )
    figures = inactive_columns(observed(history), ("source", "target", "location", "flag"))
    if earlier is not None:
        asked = merged(earlier[0], asked)
        figures = _with_earlier(earlier[1], figures)
    # One order, whatever was there before: the same edition gives the same bytes again.
    days = [name for name in ("as_of",) if name in figures]
    figures = figures.sort_values([*files.UNIT, *days], ignore_index=True)
    truth = oracle(figures, asked)
    corridors = have_corridors(asked)
    if corridors:
        figures, truth = with_ends(figures), with_ends(truth)
    identity = f"{files.abbreviation(team)}-{files.abbreviation(str(draws.attrs['model']))}"
    tables = {
        f"{files.OUTPUT}/{identity}/{files.last_day(origin, frequency)}-{identity}.csv": rows
        for origin, rows in output_tables(
            series, quantiles, draws, samples, corridors, frequency
        ).items()
    }
    tables[files.TIME_SERIES] = figures
    if len(truth):
        tables[files.ORACLE] = truth
    described = {
        files.ADMIN: _admin(name, team),
        files.TASKS: as_config(asked),
        files.TARGET_DATA: _target_data("as_of" in figures, corridors),
    }
    return {
        **{path: _json(content) for path, content in described.items()},
        files.METADATA_SCHEMA: _metadata_schema(corridors),
        f"{files.METADATA}/{identity}.yml": _metadata(series, draws, team, notes),
        **{path: _csv(table) for path, table in tables.items()},
    }


def _holds_hub(folder: Path) -> bool:
    return (folder / files.TASKS).is_file() or not any(folder.iterdir())


def earlier_hub(folder: Path) -> tuple[Tasks, pd.DataFrame | None] | None:
    """Return the tasks and time series of the hub of ours that stands there, if one does."""
    artifacts.recover(folder)
    if not (folder / files.TASKS).is_file():
        return None
    try:
        config = json.loads((folder / files.TASKS).read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError):
        config = None
    tasks = from_config(config, str(folder))
    series = folder / files.TIME_SERIES
    if not series.is_file():
        return tasks, None
    return tasks, pd.read_csv(series, dtype={"flag": str}, keep_default_na=False)


def _with_earlier(earlier: pd.DataFrame | None, figures: pd.DataFrame) -> pd.DataFrame:
    """Add figures to those a hub has; the newer ones win where both know a release."""
    if earlier is None:
        return figures
    _check_days("as_of" in earlier, "as_of" in figures)
    unit = [name for name in ("as_of", *files.UNIT) if name in figures]
    both = pd.concat([earlier[figures.columns], figures], ignore_index=True)
    return both.drop_duplicates(unit, keep="last")


def _check_days(earlier: bool, new: bool) -> None:
    if earlier != new:
        raise DataError(
            "the hub's figures and the new ones cannot be joined: only one of them has days of "
            "release (as_of). Choose another folder."
        )


def _admin(name: str, team: str) -> dict[str, Any]:
    return {
        "schema_version": files.schema_address("admin"),
        "name": name,
        "maintainer": team,
        "contact": {"name": team},
        "repository": {"name": name},
        "file_format": ["csv"],
        # Keeps universal time all year; the schema's list of zones has no UTC.
        "timezone": "Africa/Abidjan",
        "model_output_dir": files.OUTPUT,
    }


def _target_data(versioned: bool, corridors: bool) -> dict[str, Any]:
    return {
        "schema_version": files.schema_address("target-data"),
        "observable_unit": [*files.UNIT[:3], *(ENDS if corridors else ()), *files.UNIT[3:]],
        "date_col": files.DERIVED,
        "versioned": versioned,
        "time-series": {"non_task_id_schema": {"flag": "character"}},
        "oracle-output": {"has_output_type_ids": False, "versioned": False},
    }


def _metadata_schema(corridors: bool) -> bytes:
    """Return the schema of metadata; notes of corridors are in that of a hub that has such."""
    stated = (Path(__file__).parent / "model-metadata-schema.json").read_bytes()
    if not corridors:
        return stated
    schema = json.loads(stated)
    schema["properties"]["notes"] = {"type": "array", "items": {"type": "string"}}
    return _json(schema)


def _metadata(
    series: pd.DataFrame, draws: xr.DataArray, team: str, notes: pd.DataFrame | None
) -> bytes:
    model, attributes = str(draws.attrs["model"]), draws.attrs
    title, methods = model, "A model of the user's own."
    settings = shelf("models") / f"{model}.toml"
    if settings.is_file():
        stated = read_toml(settings)
        title, methods = str(stated["title"]), str(stated["summary"])
    described = {
        "team_name": team,
        "team_abbr": files.abbreviation(team),
        "model_name": title or model,
        "model_abbr": files.abbreviation(model),
        "model_version": str(attributes["version"]),
        "methods": methods or title or model,
        "data_inputs": "; ".join(sorted(set(series["source"]))),
        "designated_model": True,
        "seed": int(attributes["seed"]),
        "draws": int(draws.sizes["draw"]),
        "data_sha256": str(attributes["data_hash"]),
    }
    if notes is not None:
        said = notes[notes["location"].str.contains(":", regex=False) & (notes["reason"] != "")]
        lines = [f"{n.location} ({n.source}): {n.reason}" for n in said.itertuples()]
        described |= {"notes": lines} if lines else {}
    text: str = yaml.safe_dump(described, sort_keys=False, allow_unicode=True, width=96)
    return text.encode()


def _json(content: Mapping[str, Any]) -> bytes:
    return (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode()


def _csv(table: pd.DataFrame) -> bytes:
    return table.to_csv(index=False, lineterminator="\n", float_format="%.12g").encode()


#: What a population projection takes as net migration of a country.
MEASURE = "net_migration"


def bayespop(
    series: pd.DataFrame, paths: xr.DataArray, history: Panel, source: str | None = None
) -> pd.DataFrame:
    """Return the draws of countries' net migration in the form of bayesPop.

    ``write.csv`` of it is what ``pop.predict(inputs = list(migtraj = FILE), annual = TRUE)``
    reads: the total over ages and sexes, a trajectory being the same world in every country.

    Parameters
    ----------
    series : DataFrame
        ``location, measure, source, origin``, one row per forecast series.
    paths : DataArray, dims (draw, series, year)
        Persons per year (or period), every year after the data.
    history : Panel
        The observed figures.
    source : str, optional
        Whose net migration; needed where several sources have countries' net migration.

    Returns
    -------
    DataFrame
        ``LocID`` (the UN's numeric code), ``Year`` (calendar year; of a five-year period the
        middle one), ``Trajectory`` from 1, ``Migration`` in **thousand persons** per year (or
        period), net inflow positive. Every country has every year from the first that any of
        them lacks; a year that one of them has observed already stands in all its
        trajectories.

    Raises
    ------
    DataError
        If no country's net migration was forecast, or several sources have it and none is
        named.
    UnknownNameError
        If not from this source.

    References
    ----------
    Ševčíková and Raftery (2016), bayesPop: Probabilistic Population Projections, Journal of
    Statistical Software 75(5), doi:10.18637/jss.v075.i05.
    """
    national = series["location"].map(_is_country) & (series["measure"] == MEASURE)
    found = series[national]
    if found.empty:
        raise DataError(
            "no country's net_migration was forecast, so there is nothing to project a "
            "population with."
        )
    sources = sorted(set(found["source"]))
    if source is None and len(sources) > 1:
        raise several_sources(MEASURE, "countries", sources)
    source = sources[0] if source is None else source
    if source not in set(found["source"]):
        raise unknown_name("source of net_migration in this forecast", source, set(found["source"]))
    found = found[found["source"] == source]
    paths = paths.transpose("draw", "series", "year")
    last = paths["year"].to_numpy()[-1]
    step = history.step
    years = np.arange(int(found["origin"].min()) + step, last + 1, step)
    trajectory = np.arange(1, paths.sizes["draw"] + 1)
    parts = []
    for position, place in zip(found.index, found["location"]):
        drawn = paths.isel(series=position).reindex(year=years).to_numpy()
        figures = history.find((source, place, MEASURE))
        known = None if figures is None else pd.Series(figures.values, figures.years)
        seen = np.nan if known is None else known.reindex(years).to_numpy()
        values = np.where(np.isnan(drawn), seen, drawn)
        parts.append(
            pd.DataFrame(
                {
                    "LocID": _numeric(place),
                    "Year": np.tile(years + (0 if step == 1 else step // 2 + 1), len(trajectory)),
                    "Trajectory": np.repeat(trajectory, len(years)),
                    "Migration": (values.ravel() / 1000).round(6) + 0.0,
                }
            )
        )
    table = pd.concat(parts, ignore_index=True)
    if table["Migration"].isna().any():
        gap = table[table["Migration"].isna()].iloc[0]
        raise DataError(
            f"net_migration from {source} of country {int(gap['LocID'])} is missing in "
            f"{int(gap['Year'])}, between the data and the forecast."
        )
    return table


def _is_country(code: str) -> bool:
    return "+" not in code and locations.find(code).is_country and _numeric(code) is not None


def _numeric(code: str) -> int | None:
    """Return the numeric code of a country, which is also the UN's location id."""
    import pycountry

    country = pycountry.countries.get(alpha_3=code)
    return None if country is None else int(country.numeric)
