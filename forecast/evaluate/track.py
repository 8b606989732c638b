"""Track: the score table of a backtest, and everything that can be asked of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pandas as pd

from forecast import artifacts, drawing, periods, plots
from forecast.errors import DataError, unknown_name
from forecast.evaluate import calibration, compare, summaries, verdicts
from forecast.hindcast.columns import COLUMNS, FAILED, JOINT_COLUMNS, NOT_COUNTED, SCORED, conform
from forecast.series_key import KEY

Per = Literal["persons", "1000", "scale"]
Average = Literal["mean", "median", "weighted"]
_SCORES, _JOINT, _SETTINGS = "scores.parquet", "joint.parquet", "track.json"


@dataclass(frozen=True)
class Track:
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
    def step(self) -> int:
        """Years per step of the panel."""
        return int(str(self.settings.get("step", 1)))

    @property
    def frequency(self) -> str:
        """What the periods are that ``origin`` and ``year`` count, as of a Panel."""
        return str(self.settings.get("frequency", "year"))

    def labelled(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return a table of the track for people: periods as text; one of years as it is.

        Parameters
        ----------
        table : DataFrame
            Such as `table`, with numbers of periods.

        Returns
        -------
        DataFrame
            Months, quarters and half-years as ``2024-06`` in the columns of periods.

        Examples
        --------
        >>> import forecast as fc
        >>> panel = fc.load("central-asia").select(location="KAZ", source="kz-bns")
        >>> track = fc.backtest(panel, ["persistence", "naive"], (2015, 2018), (1, 3), draws=100)
        >>> track.labelled(track.table) is track.table
        True
        """
        if self.frequency == "year":
            return table
        names = ("year", "origin", "first_origin", "last_origin", "first", "last")
        made = {
            name: [periods.label(int(one), self.frequency) for one in table[name]]
            for name in names
            if name in table.columns
        }
        return table.assign(**made)

    @property
    def models(self) -> list[str]:
        """The models, in the order they were given."""
        return list(dict.fromkeys(self.table["model"]))

    @property
    def reference(self) -> str:
        """The model that skill is held against: no change, with an honest width if it was run.

        Empty where the backtest has neither that nor the plain naive forecast.
        """
        return summaries.reference_of(self.models)

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

    def summary(
        self,
        by: Sequence[str] = ("model", "horizon"),
        *,
        average: Average = "mean",
        per: Per = "persons",
        common: bool = True,
    ) -> pd.DataFrame:
        """Average the scores in groups.

        Parameters
        ----------
        by : sequence of str
            Columns of the score table to group by.
        average : {"mean", "median", "weighted"}
            Mean; median, which a few large countries cannot rule; mean weighted by people.
        per : {"persons", "1000", "scale"}
            Persons per year; per 1,000 inhabitants a year; or in units of the series' own mean
            absolute change up to the origin.
        common : bool
            Only figures that every model forecast, so that the models compare.

        Returns
        -------
        DataFrame
            The groups, ``forecasts, origins``; averages of ``crps``, ``wis`` and its parts,
            interval scores, quantile losses, ``log_score, mae, bias, mase, rmse`` in persons
            per year, or as `per` says; and ``coverage_50, coverage_80, coverage_95``
            (shares). See `forecast.evaluate.summaries.summary`.

        Raises
        ------
        DataError
            If nothing was scored.
        UnknownNameError
            If a column is not in the score table.

        Examples
        --------
        >>> import forecast as fc
        >>> panel = fc.load("central-asia").select(location="KAZ", source="kz-bns")
        >>> track = fc.backtest(panel, ["persistence", "naive"], (2015, 2018), (1, 3), draws=100)
        >>> sorted(track.summary()["horizon"].unique().tolist())
        [1, 3]
        """
        return summaries.summary(
            self.table, by, average=average, per=per, common=common, step=self.step
        )

    def joint_summary(self, by: Sequence[str] = ("model", "measure", "horizon")) -> pd.DataFrame:
        """Average energy and variogram scores over folds that all models have in common.

        Parameters
        ----------
        by : sequence of str
            Columns of the score table to group by.

        Returns
        -------
        DataFrame
            The groups, ``unit``, ``folds, locations, energy_score, variogram_score``.

        Raises
        ------
        DataError
            If no two locations of a measure were scored together.
        UnknownNameError
            If a column is not in the table.

        Examples
        --------
        >>> import forecast as fc
        >>> panel = fc.load("merged-units").select(source="uz-stat-balance")
        >>> track = fc.backtest(panel, ["persistence", "naive"], (2020, 2023), (1,), draws=100)
        >>> track.joint_summary(["model"])["model"].tolist()
        ['persistence', 'naive']
        """
        return summaries.joint_summary(self.joint, by)

    def skill(
        self,
        versus: str | None = None,
        by: Sequence[str] = ("model", "horizon"),
        *,
        score: str = "crps",
        average: Average = "mean",
        per: Per = "persons",
    ) -> pd.DataFrame:
        """Return the skill: 1 − score / score of a reference, positive where a model is better.

        Parameters
        ----------
        versus : str, optional
            The model that others are held against; the `reference` of the track by default.
        by : sequence of str
            Columns of the score table to group by.
        score : str
            Column of the score table that is compared, such as ``"crps"`` or ``"absolute_error"``.
        average : {"mean", "median", "weighted"}
            Mean; median, which a few large countries cannot rule; mean weighted by people.
        per : {"persons", "1000", "scale"}
            Persons per year; per 1,000 inhabitants a year; or in units of the series' own mean
            absolute change up to the origin.

        Returns
        -------
        DataFrame
            The groups, ``forecasts`` (figures that both forecast), the average score, that of the
            ``reference``, and ``skill`` (1 is perfect, 0 no better). See
            `forecast.evaluate.summaries.skill`.

        Raises
        ------
        DataError
            If nothing was scored, or there is no reference.
        UnknownNameError
            If a model, column or score is not in the track.

        Examples
        --------
        >>> import forecast as fc
        >>> panel = fc.load("central-asia").select(location="KAZ", source="kz-bns")
        >>> track = fc.backtest(panel, ["persistence", "naive"], (2015, 2018), (1, 3), draws=100)
        >>> track.skill().columns.tolist()
        ['model', 'horizon', 'forecasts', 'crps', 'reference', 'skill']
        """
        chosen = {"score": score, "average": average, "per": per}
        return summaries.skill(self.table, versus, by, step=self.step, **chosen)

    def compare(
        self,
        first: str,
        second: str,
        by: Sequence[str] = ("horizon",),
        *,
        score: str = "crps",
        per: Per = "persons",
        seed: int = 1,
    ) -> pd.DataFrame:
        """Test whether two models differ.

        Parameters
        ----------
        first, second : str
            Models of the track.
        by : sequence of str
            Columns of the score table to group by.
        score : str
            Column of the score table that is compared, such as ``"crps"`` or ``"absolute_error"``.
        per : {"persons", "1000", "scale"}
            Persons per year; per 1,000 inhabitants a year; or in units of the series' own mean
            absolute change up to the origin.
        seed : int
            Of the bootstrap.

        Returns
        -------
        DataFrame
            The groups, average scores of both models, and whether the difference may be luck:
            see `forecast.evaluate.compare.compare` for the columns and the sources.

        Raises
        ------
        DataError
            If nothing was scored, or there is no reference.
        UnknownNameError
            If a model, column or score is not in the track.

        Examples
        --------
        >>> import forecast as fc
        >>> panel = fc.load("central-asia").select(location="KAZ", source="kz-bns")
        >>> track = fc.backtest(panel, ["persistence", "naive"], (2015, 2018), (1, 3), draws=100)
        >>> len(track.compare("naive", "persistence"))  # a row for each horizon
        2
        """
        return compare.compare(
            self.table, first, second, by, score=score, per=per, step=self.step, seed=seed
        )

    def comparisons(
        self, versus: str | None = None, *, score: str = "crps", per: Per = "scale"
    ) -> pd.DataFrame:
        """Compare every other model with one, by measure, source and horizon.

        The p-values adjusted for multiple testing take all rows of the table together.

        Parameters
        ----------
        versus : str, optional
            The model that others are held against; the `reference` of the track by default.
        score : str
            Column of the score table that is compared, such as ``"crps"`` or ``"absolute_error"``.
        per : {"persons", "1000", "scale"}
            Persons per year; per 1,000 inhabitants a year; or in units of the series' own mean
            absolute change up to the origin.

        Returns
        -------
        DataFrame
            ``model``, the groups and the columns of `compare`; a negative difference means that the
            model is better than `versus`.

        Raises
        ------
        DataError
            If nothing was scored, or there is no reference.
        UnknownNameError
            If a model, column or score is not in the track.

        Examples
        --------
        >>> import forecast as fc
        >>> panel = fc.load("central-asia").select(location="KAZ", source="kz-bns")
        >>> track = fc.backtest(panel, ["persistence", "naive"], (2015, 2018), (1, 3), draws=100)
        >>> len(track.comparisons())  # three measures, two horizons
        6
        """
        by = ("measure", "source", "horizon")
        return compare.compare_all(self.table, versus, by, score=score, per=per, step=self.step)

    def calibration(self, by: Sequence[str] = ("model", "horizon")) -> pd.DataFrame:
        """Return how often intervals held what they promised.

        Parameters
        ----------
        by : sequence of str
            Columns to group by; ``"shock"`` among them tells calm from shock years.

        Returns
        -------
        DataFrame
            The groups, ``level`` (promised share), ``coverage`` (share that held),
            ``standard_error, forecasts, origins``; see `forecast.evaluate.calibration.coverage`.

        Raises
        ------
        DataError
            If nothing was scored.
        UnknownNameError
            If a column is not in the score table.

        Examples
        --------
        >>> import forecast as fc
        >>> panel = fc.load("central-asia").select(location="KAZ", source="kz-bns")
        >>> track = fc.backtest(panel, ["persistence", "naive"], (2015, 2018), (1, 3), draws=100)
        >>> track.calibration(["model"])["level"].unique().tolist()
        [0.5, 0.8, 0.95]
        """
        return calibration.coverage(self.table, by, step=self.step)

    def calibration_test(self, by: Sequence[str] = ("model", "horizon")) -> pd.DataFrame:
        """Test coverage and PIT over all series of a group together.

        Parameters
        ----------
        by : sequence of str
            Columns to group by; ``model`` and ``horizon`` are always among them.

        Returns
        -------
        DataFrame
            The groups, ``series, origins, forecasts``, coverages with bounds and p-values,
            ``pit_mean, pit_spread, p_value_pit``; see `forecast.evaluate.calibration.over_panel`.

        Raises
        ------
        DataError
            If nothing was scored.
        UnknownNameError
            If a column is not in the score table.

        Examples
        --------
        >>> import forecast as fc
        >>> panel = fc.load("central-asia").select(location="KAZ", source="kz-bns")
        >>> track = fc.backtest(panel, ["persistence", "naive"], (2015, 2018), (1, 3), draws=100)
        >>> track.calibration_test()["origins"].tolist()
        [2, 2, 2, 2]
        """
        return calibration.over_panel(self.table, by)

    def pit(self, by: Sequence[str] = ("model",), bins: int = 10) -> pd.DataFrame:
        """Return PIT histograms; flat is calibrated.

        Parameters
        ----------
        by : sequence of str
            Columns of the score table to group by.
        bins : int
            Equal parts of the forecast distribution, at least 2.

        Returns
        -------
        DataFrame
            The groups, ``lower`` and ``upper`` edge of each part (0 to 1), ``count``, and
            ``density``, 1 everywhere if calibrated; see
            `forecast.evaluate.calibration.pit_histogram`.

        Raises
        ------
        DataError
            If nothing was scored.
        UnknownNameError
            If a column is not in the score table.

        Examples
        --------
        >>> import forecast as fc
        >>> panel = fc.load("central-asia").select(location="KAZ", source="kz-bns")
        >>> track = fc.backtest(panel, ["persistence", "naive"], (2015, 2018), (1, 3), draws=100)
        >>> len(track.pit(bins=5))  # two models
        10
        """
        return calibration.pit_histogram(self.table, by, bins)

    def verdicts(
        self, versus: str | None = None, *, score: str = "crps", rule: verdicts.Rule | None = None
    ) -> pd.DataFrame:
        """Judge every model, series and horizon by a rule.

        Parameters
        ----------
        versus : str, optional
            The model that others are held against; the `reference` of the track by default.
        score : str
            Column of the score table that decides.
        rule : Rule, optional
            Thresholds; those of `forecast.evaluate.verdicts.Rule` by default.

        Returns
        -------
        DataFrame
            ``model, source, location, measure, horizon, verdict, reason`` and what they rest on,
            see `forecast.evaluate.verdicts.judge`.

        Raises
        ------
        DataError
            If nothing was scored, or there is no reference.
        UnknownNameError
            If a model, column or score is not in the track.

        Examples
        --------
        >>> import forecast as fc
        >>> panel = fc.load("central-asia").select(location="KAZ", source="kz-bns")
        >>> track = fc.backtest(panel, ["persistence", "naive"], (2015, 2018), (1, 3), draws=100)
        >>> track.verdicts()["verdict"].unique().tolist()
        ['too little data']
        """
        return verdicts.judge(self.table, versus, score=score, step=self.step, rule=rule)

    def forecastability(self, versus: str | None = None) -> pd.DataFrame:
        """Return the longest horizon with skill of every model and series.

        Parameters
        ----------
        versus : str, optional
            The model that others are held against; the `reference` of the track by default.

        Returns
        -------
        DataFrame
            ``model, source, location, measure``; ``forecastability_horizon``, the longest horizon
            judged skilful (0: none); ``horizons_judged``, how many had enough data.

        Raises
        ------
        DataError
            If nothing was scored, or there is no reference.
        UnknownNameError
            If a model, column or score is not in the track.

        Examples
        --------
        >>> import forecast as fc
        >>> panel = fc.load("central-asia").select(location="KAZ", source="kz-bns")
        >>> track = fc.backtest(panel, ["persistence", "naive"], (2015, 2018), (1, 3), draws=100)
        >>> track.forecastability()["model"].unique().tolist()
        ['naive']
        """
        return verdicts.forecastability(self.verdicts(versus))

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
