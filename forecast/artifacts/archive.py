"""A Forecast on disk: NetCDF draws, the history, the notes and a manifest; never pickle."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from forecast import measures
from forecast.artifacts.entries import MANIFEST, is_sealed, read_sealed, sealed_folder
from forecast.artifacts.files import recover
from forecast.errors import DataError
from forecast.panel import Panel

_FORMAT = "migration-forecast/1"
_DRAWS, _HISTORY, _NOTES = "draws.nc", "history.csv", "notes.csv"
_EXPLANATION = "explanation.csv"
_NEEDED = "horizons", "step", "sha256"


def write(
    path: str | Path,
    paths: xr.DataArray,
    horizons: Sequence[int],
    notes: pd.DataFrame,
    history: Panel,
    explanation: pd.DataFrame | None = None,
) -> Path:
    """Write the parts of a forecast to a folder, whole or not at all.

    Parameters
    ----------
    path : str or Path
        The folder. An earlier forecast there is replaced; anything else is left alone.
    paths, horizons, notes, history, explanation
        See `forecast.outlook.Forecast`.

    Raises
    ------
    DataError
        If something that is not a saved forecast stands there.
    """
    about = {
        "horizons": list(horizons),
        "step": history.step,
        **({} if history.frequency == "year" else {"frequency": history.frequency}),
        **{name: _plain(value) for name, value in paths.attrs.items()},
    }
    with sealed_folder(path, _FORMAT, about) as folder:
        paths.to_dataset(name="draws").to_netcdf(folder / _DRAWS, engine="h5netcdf")
        history.to_frame().to_csv(folder / _HISTORY, index=False, lineterminator="\n")
        notes.to_csv(folder / _NOTES, index=False, lineterminator="\n")
        if explanation is not None:
            explanation.to_csv(folder / _EXPLANATION, index=False, lineterminator="\n")
        if own := measures.to_toml(history.measures):
            (folder / measures.FILE).write_text(own, encoding="utf-8")
    return Path(path)


def read(
    path: str | Path,
) -> tuple[xr.DataArray, tuple[int, ...], pd.DataFrame, Panel, pd.DataFrame | None]:
    """Read the parts of a forecast that `write` wrote.

    Returns
    -------
    tuple
        ``paths, horizons, notes, history, explanation``.

    Raises
    ------
    DataError
        If the folder is not a saved forecast, or a file in it was changed.
    """
    folder = Path(path)
    recover(folder)
    if not is_sealed(folder, _FORMAT, *_NEEDED):
        raise DataError(
            f"{folder} holds no saved forecast (no {MANIFEST} of one). "
            "Give a folder written by save()."
        )
    try:
        manifest, contents = read_sealed(folder, _FORMAT)
    except DataError as error:
        raise DataError(f"{error} Save the forecast again.") from None
    if not {_DRAWS, _HISTORY, _NOTES} <= set(contents):
        raise DataError(f"{folder} holds no saved forecast: its {MANIFEST} names too few files.")
    with xr.open_dataset(io.BytesIO(contents[_DRAWS]), engine="h5netcdf") as dataset:
        paths = dataset["draws"].load()
    measures.from_toml(contents.get(measures.FILE, b"").decode())
    text = dict.fromkeys(("source", "location", "measure", "flag"), str)
    numbers = {"value": [""], "population": [""], "precision": [""], "as_of": [""]}
    history = _csv(contents[_HISTORY], text, numbers)
    notes = _csv(contents[_NOTES], text)
    explanation = None
    if _EXPLANATION in contents:
        named = dict.fromkeys(("source", "location", "measure", "what", "name"), str)
        explanation = _csv(contents[_EXPLANATION], named)
    return (
        paths,
        tuple(manifest["horizons"]),
        notes,
        Panel.from_frame(history, step=manifest["step"], frequency=manifest.get("frequency")),
        explanation,
    )


def _csv(
    content: bytes, types: Mapping[str, type], missing: Mapping[str, list[str]] | None = None
) -> pd.DataFrame:
    return pd.read_csv(io.BytesIO(content), dtype=types, keep_default_na=False, na_values=missing)


def _plain(value: object) -> object:
    return value.item() if isinstance(value, np.generic) else value
