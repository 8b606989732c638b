"""Track: the score table of a backtest, and everything that can be asked of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from forecast import artifacts, drawing
from forecast.errors import DataError, unknown_name
from forecast.evaluate import calibration, plots
from forecast.evaluate.judgement import JudgedTrack
from forecast.hindcast.columns import COLUMNS, FAILED, JOINT_COLUMNS, NOT_COUNTED, SCORED, conform
from forecast.series_key import KEY

_SCORES, _JOINT, _SETTINGS = "scores.parquet", "joint.parquet", "track.json"


@dataclass(frozen=True)
class Track(JudgedTrack):
    """The record of what forecasts were worth.

    Attributes
    ----------
    table : DataFrame
        One row per model, series, origin, release and target year, unsummarised; see
        ``docs/backtests.md`` for every column. Scores are in persons per calendar year.
        Rows that are not ``scored`` say why in ``reason``.
    joint : DataFrame
        Energy and variogram scores of all locations together, one row per model,
        source, measure, origin and target year.
    settings : mapping
        What was asked for: models, origins, horizons, draws, seed, vintage, data hash.
    """

    table: pd.DataFrame
    joint: pd.DataFrame
    settings: Mapping[str, object]

    plot_skill, plot_reliability = plots.skill, plots.reliability
    plot_pit, plot_hedgehog = plots.pit, plots.hedgehog

    @property
    def failures(self) -> pd.DataFrame:
        """Rows of forecasts that failed, with the reason."""
        return self.table[self.table["status"] == FAILED].reset_index(drop=True)

    @property
    def missing(self) -> pd.DataFrame:
        """Count what is not among the scores: by model, status and reason."""
        lost = self.table[self.table["status"] != SCORED]
        grouped = lost.groupby(["model", "status", "reason"], sort=False)
        counted: pd.DataFrame = grouped.agg(
            forecasts=("year", "size"), series=("location", "nunique"),
            first_origin=("origin", "min"), last_origin=("origin", "max"),
        ).reset_index()  # fmt: skip
        return counted

    def select(
        self,
        *,
        model: str | Sequence[str] | None = None,
        location: str | Sequence[str] | None = None,
        measure: str | Sequence[str] | None = None,
        source: str | Sequence[str] | None = None,
    ) -> Track:
        """Return the track of some models, locations, measures or sources.

        Parameters
        ----------
        model, location, measure, source : str or sequence of str, optional
            Names as they are in the table; all by default.

        Returns
        -------
        Track
            Without joint scores where locations are chosen: those are of all locations.

        Raises
        ------
        UnknownNameError
            If a name is not in the track.

        Examples
        --------
        >>> import forecast as fc
        >>> panel = fc.load("central-asia").select(location="KAZ", source="kz-bns")
        >>> track = fc.backtest(panel, ["persistence", "naive"], (2015, 2018), (1, 3), draws=100)
        >>> track.select(model="naive").models
        ['naive']
        """
        chosen = {"model": model, "location": location, "measure": measure, "source": source}
        table, joint = self.table, self.joint
        for column, wanted in chosen.items():
            if wanted is None:
                continue
            names = [wanted] if isinstance(wanted, str) else list(wanted)
            present = set(table[column])
            for name in names:
                if name not in present:
                    raise unknown_name(f"{column} in this backtest", name, present)
            table = table[table[column].isin(names)]
            # A joint score of all locations says nothing about a few of them.
            joint = joint[joint[column].isin(names)] if column in joint else joint.iloc[:0]
        return Track(table.reset_index(drop=True), joint.reset_index(drop=True), self.settings)

    def surprises(self, model: str | None = None) -> pd.DataFrame:
        """Return observed figures outside their 95 % interval, the most surprising first.

        Parameters
        ----------
        model : str, optional
            One model; all by default.

        Returns
        -------
        DataFrame
            What was observed, what the forecast had said (median, 80 and 95 % interval),
            and ``excess``: the distance outside as a multiple of the interval's width.

        Examples
        --------
        >>> import forecast as fc
        >>> panel = fc.load("central-asia").select(location="KAZ", source="kz-bns")
        >>> track = fc.backtest(panel, ["persistence", "naive"], (2015, 2018), (1, 3), draws=100)
        >>> track.surprises("naive").columns[-1]
        'excess'
        """
        return calibration.surprises(self.select(model=model).table)

    def save(self, folder: str | Path) -> Path:
        """Write the track to a folder (Parquet and JSON), whole or not at all.

        Parameters
        ----------
        folder : str or Path
            An earlier track there is replaced.

        Returns
        -------
        Path
            The folder.

        Raises
        ------
        DataError
            If something else is in the folder, or it cannot be written to.

        Examples
        --------
        >>> import forecast as fc
        >>> panel = fc.load("central-asia").select(location="KAZ", source="kz-bns")
        >>> track = fc.backtest(panel, ["persistence", "naive"], (2015, 2018), (1, 3), draws=100)
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     fc.Track.open(track.save(f"{folder}/track")).models
        ['persistence', 'naive']
        """
        with artifacts.atomic_folder(folder, artifacts.holding(_SETTINGS)) as made:
            self.write(made)
        return Path(folder)

    def write(self, folder: Path) -> None:
        """Write the files of a saved track into a folder that is being made.

        Parameters
        ----------
        folder : Path
            It is there; `save` makes one that is whole or not there.

        Examples
        --------
        >>> import forecast as fc
        >>> panel = fc.load("central-asia").select(location="KAZ", source="kz-bns")
        >>> track = fc.backtest(panel, ["persistence", "naive"], (2015, 2018), (1, 3), draws=100)
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     track.write(Path(folder))
        ...     sorted(path.name for path in Path(folder).iterdir())
        ['joint.parquet', 'scores.parquet', 'track.json']
        """
        self.table.to_parquet(folder / _SCORES, index=False)
        self.joint.to_parquet(folder / _JOINT, index=False)
        text = json.dumps(dict(self.settings), indent=2, sort_keys=True)
        (folder / _SETTINGS).write_text(text + "\n", encoding="utf-8")

    @classmethod
    def open(cls, folder: str | Path) -> Track:
        """Read a track that `save` wrote.

        Parameters
        ----------
        folder : str or Path
            Where it was saved.

        Returns
        -------
        Track

        Raises
        ------
        DataError
            If the folder holds none.

        Examples
        --------
        >>> import forecast as fc
        >>> panel = fc.load("central-asia").select(location="KAZ", source="kz-bns")
        >>> track = fc.backtest(panel, ["persistence", "naive"], (2015, 2018), (1, 3), draws=100)
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     fc.Track.open(track.save(f"{folder}/track")).table.equals(track.table)
        True
        """
        path = Path(folder)
        for name in (_SCORES, _JOINT, _SETTINGS):
            if not (path / name).is_file():
                raise DataError(
                    f"{path} holds no saved backtest (no {name}). Give a folder written by save()."
                )
        return cls(
            conform(pd.read_parquet(path / _SCORES), COLUMNS),
            conform(pd.read_parquet(path / _JOINT), JOINT_COLUMNS),
            json.loads((path / _SETTINGS).read_text(encoding="utf-8")),
        )

    def __repr__(self) -> str:
        counts = self.table["status"].value_counts()
        lost = len(self.table) - int(counts.get(SCORED, 0)) - int(counts.get(NOT_COUNTED, 0))
        series = len(self.table[KEY].drop_duplicates())
        return (
            f"<Track: {', '.join(self.models)}; {series} series, "
            f"{self.table['origin'].nunique()} origins, {int(counts.get(SCORED, 0)):,} scores, "
            f"{lost:,} without>"
        )

    def _repr_html_(self) -> str:
        rows = []
        for model, own in list(self.table.groupby("model", sort=False))[: drawing.MOST]:
            scored, failed = (own["status"] == status for status in (SCORED, FAILED))
            held = f"{100 * own.loc[scored, 'inside_80'].mean():.0f} %"
            counts = {"scored": f"{scored.sum():,}", "failed": f"{failed.sum():,}"}
            rows.append({"model": model, **counts, "held by 80 % intervals": held})
        series, origins = len(self.table[KEY].drop_duplicates()), self.table["origin"]
        facts = f"{series} series, origins {origins.min()} to {origins.max()}"
        return drawing.html("Track", facts, rows, len(self.models))
