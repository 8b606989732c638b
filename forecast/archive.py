"""A Forecast on disk: NetCDF draws, the history, the notes and a manifest; never pickle."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from forecast import artifacts
from forecast.errors import DataError
from forecast.panel import Panel

_FORMAT = "migration-forecast/1"
_MANIFEST, _DRAWS, _HISTORY, _NOTES = "manifest.json", "draws.nc", "history.csv", "notes.csv"
_EXPLANATION = "explanation.csv"


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
    with artifacts.atomic_folder(path, _is_ours) as folder:
        paths.to_dataset(name="draws").to_netcdf(folder / _DRAWS, engine="h5netcdf")
        history.to_frame().to_csv(folder / _HISTORY, index=False, lineterminator="\n")
        notes.to_csv(folder / _NOTES, index=False, lineterminator="\n")
        written = [_DRAWS, _HISTORY, _NOTES]
        if explanation is not None:
            explanation.to_csv(folder / _EXPLANATION, index=False, lineterminator="\n")
            written.append(_EXPLANATION)
        manifest = {
            "format": _FORMAT,
            "horizons": list(horizons),
            "step": history.step,
            **{name: _plain(value) for name, value in paths.attrs.items()},
            "sha256": {name: artifacts.sha256(folder / name) for name in written},
        }
        text = json.dumps(manifest, indent=2, ensure_ascii=False, sort_keys=True)
        (folder / _MANIFEST).write_text(text + "\n", encoding="utf-8")
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
    manifest = _manifest(folder)
    if manifest is None:
        raise DataError(
            f"{folder} holds no saved forecast (no {_MANIFEST} of one). "
            "Give a folder written by save()."
        )
    for name, expected in manifest["sha256"].items():
        if not (folder / name).is_file() or artifacts.sha256(folder / name) != expected:
            raise DataError(
                f"{folder / name} is missing or was changed since it was saved. "
                "Save the forecast again."
            )
    with xr.open_dataset(io.BytesIO((folder / _DRAWS).read_bytes()), engine="h5netcdf") as dataset:
        paths = dataset["draws"].load()
    text = dict.fromkeys(("source", "location", "measure", "flag"), str)
    numbers = {"value": [""], "population": [""], "precision": [""], "as_of": [""]}
    history = pd.read_csv(folder / _HISTORY, dtype=text, keep_default_na=False, na_values=numbers)
    notes = pd.read_csv(folder / _NOTES, dtype=text, keep_default_na=False)
    explanation = None
    if _EXPLANATION in manifest["sha256"]:
        named = dict.fromkeys(("source", "location", "measure", "what", "name"), str)
        explanation = pd.read_csv(folder / _EXPLANATION, dtype=named, keep_default_na=False)
    return (
        paths,
        tuple(manifest["horizons"]),
        notes,
        Panel.from_frame(history, step=manifest["step"]),
        explanation,
    )


def _manifest(folder: Path) -> dict[str, Any] | None:
    """Return the manifest of a saved forecast, None if there is none of ours."""
    try:
        manifest = json.loads((folder / _MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    needed = {"sha256", "horizons", "step"}
    if not isinstance(manifest, dict) or manifest.get("format") != _FORMAT:
        return None
    return manifest if needed <= set(manifest) else None


def _is_ours(folder: Path) -> bool:
    return _manifest(folder) is not None


def _plain(value: object) -> object:
    return value.item() if isinstance(value, np.generic) else value
