"""Plots show what the data say, on the axes given or on their own; tables of a notebook."""

from __future__ import annotations

import dataclasses
import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

import forecast as fc
from forecast import drawing
from forecast.errors import DataError, UnknownNameError
from forecast.evaluate.track import Track
from forecast.outlook import Forecast
from forecast.panel import Panel

KAZ = ("KAZ", "net_migration", "un-wpp")


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    """No plot leaves a figure with pyplot or changes a setting."""
    before = dict(mpl.rcParams)
    yield
    assert pyplot.get_fignums() == []
    assert dict(mpl.rcParams) == before


@pytest.fixture(scope="module")
def track(varied: Panel) -> Track:
    panel = varied.select(measure="net_migration")
    models = ["persistence", "mean", "ets"]
    return fc.backtest(panel, models, range(2008, 2018), (1, 3), draws=100, jobs=1)


@pytest.fixture
def offices(table: pd.DataFrame) -> Panel:
    """Sixteen series: more than a picture or a table holds."""
    return Panel.from_frame(pd.concat([table.assign(source=f"office {n}") for n in range(4)]))


@pytest.fixture(scope="module")
def explained(outlook: Forecast) -> Forecast:
    """A forecast whose variance has parts on both sides of zero."""
    shares = {"shocks": 0.7, "parameters": 0.002, "calibration": 0.598, "accounts": -0.3}
    weights = {"ets": 0.75, "naive": 0.25}
    rows = [
        ("un-wpp", place, "net_migration", year, what, name, value)
        for place in ("KAZ", "TKM")
        for year in (2025, 2030)
        for what, parts in (("variance share", shares), ("weight", weights))
        for name, value in parts.items()
    ]
    columns = ["source", "location", "measure", "year", "what", "name", "value"]
    return dataclasses.replace(outlook, explanation=pd.DataFrame(rows, columns=columns))


def line(axes: Axes, label: str) -> Line2D:
    (found,) = (one for one in axes.lines if one.get_label() == label)
    return found


def points(axes: Axes, label: str) -> dict[float, float]:
    drawn = np.asarray(line(axes, label).get_xydata())
    return {x: y for x, y in drawn.tolist() if not np.isnan(y)}


def said(axes: Axes) -> str:
    """Title, note and other texts of a plot, each on one line."""
    texts = [axes.get_title(loc="left"), *(text.get_text() for text in axes.texts)]
    return "\n".join(text.replace("\n", " ").replace("\xa0", " ") for text in texts)


def reach(axes: Axes, label: str, year: float) -> tuple[float, float]:
    """Lower and upper edge of a band in one year."""
    (band,) = (one for one in axes.collections if one.get_label() == label)
    edge = band.get_paths()[0].vertices
    at = edge[edge[:, 0] == year, 1]
    return float(at.min()), float(at.max())


def test_a_fan_shows_figures_bands_and_target_years(outlook: Forecast) -> None:
    axes = outlook.plot(*KAZ, levels=(0.5, 0.9))
    series = outlook.history.find((KAZ[2], *KAZ[:2]))
    assert series is not None
    shown = points(axes, "observed")
    expected = dict(zip(series.years.tolist(), series.values.tolist()))
    assert shown == {year: expected[year] for year in range(1999, 2024)}
    position = outlook.position((KAZ[2], *KAZ[:2]))
    for year in (2024, 2027, 2030):
        drawn = outlook.paths.isel(series=position).sel(year=year).to_numpy()
        assert points(axes, "median")[year] == pytest.approx(np.median(drawn))
        for level, label in ((0.5, "50 %"), (0.9, "90 %")):
            edges = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
            assert reach(axes, label, year) == pytest.approx(tuple(edges))
    # The fan begins at the last figure.
    assert points(axes, "median")[2023] == series.values[-1]
    assert reach(axes, "90 %", 2023) == (series.values[-1], series.values[-1])
    marked = next(one for one in axes.containers if one.get_label() == "target year")
    table = outlook.intervals(0.80).set_index(["location", "measure", "source"])
    ranges = table.sort_index().loc[KAZ]
    assert marked.lines[0].get_xdata().tolist() == list(outlook.horizons)
    np.testing.assert_allclose(marked.lines[0].get_ydata(), ranges["median"])
    (bars,) = marked.lines[2]
    ends = np.array([segment[:, 1] for segment in bars.get_segments()])
    np.testing.assert_allclose(ends, ranges[["lower", "upper"]])


def test_words_of_a_fan(outlook: Forecast) -> None:
    axes = outlook.plot("Kazakhstan", *KAZ[1:])
    row = outlook.intervals(0.80).set_index(["location", "measure", "source", "year"])
    told = drawing.between(KAZ[1], *row.loc[(*KAZ, 2027)]).replace("\xa0", " ")
    assert "Kazakhstan: Net migration, UN estimate (un-wpp)" in said(axes)
    assert f"2027: {told}" in said(axes)
    assert re.fullmatch(r"−?[\d,]+ \(−?[\d,]+ to −?[\d,]+\)", told)
    assert axes.get_ylabel() == "persons a year"
    assert axes.get_ylim()[0] < 0
    counts = outlook.plot("KAZ", "immigration")
    assert counts.get_ylim()[0] == 0
    many = dataclasses.replace(outlook, horizons=tuple(range(2025, 2031)))
    assert "2027:" not in said(many.plot(*KAZ))


def test_flags_of_a_fan(outlook: Forecast) -> None:
    axes = outlook.plot("KZ-11", "net_all_flows")
    assert list(points(axes, "outlier")) == [2016]
    assert line(axes, "outlier").get_markerfacecolor() == "white"
    assert line(axes, "new level").get_xdata() == [2009.5, 2009.5]
    (empty,) = (patch for patch in axes.patches if patch.get_label() == "left empty")
    assert (empty.get_x(), empty.get_width()) == (2020.5, 1.0)
    assert 2021 not in points(axes, "observed")
    assert list(points(outlook.plot(*KAZ), "interpolated")) == [2003, 2004, 2005]


def test_a_hostile_name_stays_text(outlook: Forecast) -> None:
    axes = outlook.plot("KAZ", "emigration")
    assert "<script>alert('$x^2$')</script>" in said(axes)
    assert axes._left_title.get_parse_math() is False  # type: ignore[attr-defined]
    axes.figure.savefig(io.BytesIO(), format="svg")


def test_two_forecasts_over_each_other(outlook: Forecast, varied: Panel) -> None:
    other = fc.forecast(varied, "mean", draws=200)
    axes = outlook.plot_compare(other, *KAZ)
    for made in (outlook, other):
        quantiles = made.quantiles([0.5], [2024, 2028])
        of_series = quantiles.set_index(["location", "measure", "source"]).loc[[KAZ]]
        drawn = points(axes, f"Model {made.model}")
        assert [drawn[2024], drawn[2028]] == pytest.approx(of_series["value"].tolist())
    assert sum(bool(one.get_label() == "80 %") for one in axes.collections) == 1
    twice = outlook.plot_compare(outlook, *KAZ)
    assert {"Model naive (first)", "Model naive (second)"} <= {
        one.get_label() for one in twice.lines
    }


def test_what_cannot_be_compared_is_said(outlook: Forecast, table: pd.DataFrame) -> None:
    with pytest.raises(DataError, match="other is 'ets'; give a forecast of a panel with step=1"):
        outlook.plot_compare("ets", *KAZ)  # type: ignore[arg-type]
    fives = Panel.from_frame(table[table["year"] % 5 == 0], step=5)
    with pytest.raises(DataError, match="a panel with step=1"):
        outlook.plot_compare(dataclasses.replace(outlook, history=fives), *KAZ)


def test_a_scenario_over_its_baseline() -> None:
    panel = fc.load("central-asia").select(location="KAZ", source="kz-bns")
    made = fc.scenario(fc.forecast(panel, "naive", draws=200), "russia-kazakhstan")
    axes = made.plot("KAZ", "immigration")
    table = made.table(years=[2027]).set_index("measure").loc["immigration"]
    assert points(axes, "Model naive")[2027] == pytest.approx(table["baseline"])
    scenario = "Model naive, scenario russia-kazakhstan; no forecast"
    assert points(axes, scenario)[2027] == pytest.approx(table["what_if"])


def test_why_stacks_the_parts_of_the_variance(explained: Forecast) -> None:
    axes = explained.plot_why(*KAZ)
    bars = {one.get_label(): [(b.get_y(), b.get_height()) for b in one] for one in axes.containers}
    # What is under half a percent is not drawn; what narrows is below zero.
    assert list(bars) == ["shocks to come", "calibration by past errors", "accounts have to add up"]
    assert bars["shocks to come"][0] == pytest.approx((0, 70))
    assert bars["calibration by past errors"][1] == pytest.approx((70, 59.8))
    assert bars["accounts have to add up"][0] == pytest.approx((0, -30))
    assert [text.get_text() for text in axes.get_xticklabels()] == ["2025", "2030"]
    assert "ets 75 %, naive 25 %" in said(axes)
    assert "−30 %" in said(axes)


def test_why_without_an_explanation(outlook: Forecast, explained: Forecast) -> None:
    with pytest.raises(DataError, match=r"'naive' explains no intervals\. Use model='ensemble'"):
        outlook.plot_why(*KAZ)
    with pytest.raises(UnknownNameError, match=r"location in this explanation 'TKN'.*TKM"):
        explained.plot_why("TKN", "net_migration")


def test_one_observed_series_and_several(varied: Panel) -> None:
    one = varied.plot("KZ-11", "net_all_flows")
    assert one.child_axes == []
    series = varied.select(location="KZ-11").series[0]
    figures = dict(zip(series.years.tolist(), series.values.tolist()))
    assert points(one, "observed") == {y: v for y, v in figures.items() if not np.isnan(v)}
    several = varied.plot("KAZ")
    chosen = varied.select(location="KAZ").series
    assert len(several.child_axes) == len(chosen) == 4
    for small, each in zip(several.child_axes, chosen):
        assert isinstance(small, Axes)
        assert list(points(small, "observed").values()) == each.values.tolist()
    titles = [small.get_title(loc="left") for small in several.child_axes]
    assert "Net migration, UN estimate (un-wpp)" in titles
    assert said(several).startswith("Kazakhstan\npersons a year, each series on its own scale")
    assert said(varied.plot(measure="immigration")).startswith("Immigration")
    assert said(varied.plot(["KAZ", "KGZ"])).startswith("5 series")


def test_too_many_series_for_a_picture(offices: Panel) -> None:
    with pytest.raises(DataError, match=r"16 series .* holds 12\. Name a location, measure or"):
        offices.plot()
    assert len(offices.plot(location="KAZ").child_axes) == 12


def test_an_event_over_what_was_expected() -> None:
    panel = fc.load("central-asia").select(source="kz-bns")
    found = fc.impact(
        panel, location="KAZ", measure="immigration", source="kz-bns", start=2022, model="naive",
        draws=200,
    )  # fmt: skip
    axes = found.plot()
    assert points(axes, "what came") == dict(zip(found.years, found.window.observed))
    medians = dict(zip(found.years, np.median(found.window.draws, axis=0)))
    drawn = points(axes, "expected")
    assert {year: drawn[year] for year in found.years} == pytest.approx(medians)
    assert line(axes, "event").get_xdata() == [2021.5, 2021.5]
    assert found.verdict in said(axes)


def test_plots_of_a_track_show_its_tables(track: Track) -> None:
    def of(table: pd.DataFrame, model: str, across: str, up: str) -> dict[float, float]:
        rows = table[table["model"] == model]
        return dict(zip(rows[across], rows[up]))

    skill, held, pit = track.plot_skill(), track.plot_reliability(), track.plot_pit()
    for model in ("mean", "ets"):
        expected = of(track.skill(), model, "horizon", "skill")
        assert points(skill, model) == pytest.approx({h: 100 * s for h, s in expected.items()})
        expected = of(track.calibration(by=["model"]), model, "level", "coverage")
        percent = {round(100 * level): 100 * share for level, share in expected.items()}
        drawn = {round(level): share for level, share in points(held, model).items()}
        assert drawn == pytest.approx(percent)
        density = list(of(track.pit(), model, "lower", "density").values())
        assert list(points(pit, model).values()) == pytest.approx(density)
        # A model looks the same in every picture.
        assert line(skill, model).get_color() == line(held, model).get_color()
    assert "CRPS below that of persistence" in said(skill)
    assert "persistence" not in [one.get_label() for one in skill.lines]
    lowest = min(share for model in track.models for share in points(held, model).values())
    assert held.get_ylim()[0] < lowest


def test_a_track_without_a_reference(track: Track) -> None:
    with pytest.raises(DataError, match="no reference"):
        track.select(model=["mean", "ets"]).plot_skill()


def test_a_hedgehog_shows_past_medians_over_what_came(track: Track) -> None:
    axes = track.plot_hedgehog("TKM", "net_migration")
    rows = track.table[(track.table["location"] == "TKM") & (track.table["model"] == "mean")]
    came = dict(zip(rows["year"], rows["observed"]))
    assert points(axes, "observed") == pytest.approx(came)
    spines = [one for one in axes.lines if one.get_marker() == "."]
    assert len(spines) == rows["origin"].nunique() == 10
    for spine, (origin, group) in zip(spines, rows.groupby("origin")):
        drawn = dict(np.asarray(spine.get_xydata()).tolist())
        start = {origin: came[origin]} if origin in came else {}
        assert drawn == pytest.approx(start | dict(zip(group["year"], group["median"])))
    assert f"Model mean: {rows['inside_80'].sum():.0f} of {len(rows)} outcomes" in said(axes)
    assert "Model ets" in said(track.plot_hedgehog("TKM", "net_migration", model="ets"))
    with pytest.raises(UnknownNameError, match=r"model in this backtest 'etz'\. Did you mean: ets"):
        track.plot_hedgehog("TKM", "net_migration", model="etz")
    with pytest.raises(UnknownNameError, match=r"'net_migraton'\. Did you mean: net_migration"):
        track.plot_hedgehog("TKM", "net_migraton")


PLOTS: dict[str, Callable[[Forecast, Track, Axes | None], Axes]] = {
    "plot": lambda outlook, track, ax: outlook.plot(*KAZ, ax=ax),
    "plot_compare": lambda outlook, track, ax: outlook.plot_compare(outlook, *KAZ, ax=ax),
    "plot_why": lambda outlook, track, ax: outlook.plot_why(*KAZ, ax=ax),
    "panel.plot": lambda outlook, track, ax: outlook.history.plot("KAZ", ax=ax),
    "plot_skill": lambda outlook, track, ax: track.plot_skill(ax=ax),
    "plot_reliability": lambda outlook, track, ax: track.plot_reliability(ax=ax),
    "plot_pit": lambda outlook, track, ax: track.plot_pit(ax=ax),
    "plot_hedgehog": lambda outlook, track, ax: track.plot_hedgehog(*KAZ, ax=ax),
}


@pytest.mark.parametrize("name", PLOTS)
def test_axes_given_are_used_and_others_show_themselves(
    name: str, explained: Forecast, track: Track
) -> None:
    figure = Figure()
    first, second = figure.subplots(1, 2)
    assert PLOTS[name](explained, track, second) is second
    assert second.get_title(loc="left")
    assert not first.has_data()
    assert figure.axes == [first, second]
    own = PLOTS[name](explained, track, None)
    # IPython shows what has this method at the end of a cell.
    assert own._repr_png_().startswith(b"\x89PNG")  # type: ignore[attr-defined]
    assert not hasattr(second, "_repr_png_")
    with pytest.raises(DataError, match=r"ax is array\(\[.*give one matplotlib Axes"):
        PLOTS[name](explained, track, figure.subplots(2, 1))


def test_settings_of_the_user_do_not_change_a_plot(outlook: Forecast) -> None:
    plain = outlook.plot(*KAZ)._repr_png_()  # type: ignore[attr-defined]
    with mpl.rc_context({"lines.linewidth": 9, "axes.facecolor": "black", "font.size": 30}):
        changed = outlook.plot(*KAZ)
        assert changed.get_facecolor() == (1, 1, 1, 1)
    assert changed._repr_png_() == plain  # type: ignore[attr-defined]


def test_a_picture_on_disk_is_the_same_text_for_the_same_figure(
    track: Track, tmp_path: Path
) -> None:
    for name in ("first.svg", "second.svg"):
        drawing.write_svg(track.plot_reliability(), tmp_path / name)
    text = (tmp_path / "first.svg").read_text(encoding="utf-8")
    assert text == (tmp_path / "second.svg").read_text(encoding="utf-8")
    assert ">promised, %<" in text


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (("KAS", "net_migration"), "location in this forecast 'KAS'. Did you mean: KAZ"),
        (("KAZ", "imigration"), "measure in this forecast 'imigration'. Did you mean: immigration"),
        (
            ("KAZ", "net_migration", "un-wp"),
            "source in this forecast 'un-wp'. Did you mean: un-wpp",
        ),
        (("KAZ", "net_migration"), "is known from kz-bns, un-wpp. Say which is meant"),
    ],
)
def test_a_wrong_series_gets_the_nearest_name(
    asked: tuple[str, ...], message: str, outlook: Forecast
) -> None:
    for plot in (outlook.plot, lambda *names: outlook.plot_compare(outlook, *names)):
        with pytest.raises((DataError, UnknownNameError), match=message):
            plot(*asked)


@pytest.mark.parametrize("level", [0, 1, 80, "0.8", np.nan])
def test_a_band_needs_a_probability(level: object, outlook: Forecast) -> None:
    with pytest.raises(DataError, match="interval level is"):
        outlook.plot(*KAZ, levels=(0.5, level))  # type: ignore[arg-type]


def test_tables_of_a_notebook(outlook: Forecast, varied: Panel, track: Track) -> None:
    html = outlook._repr_html_()
    for made in (html, varied._repr_html_(), track._repr_html_()):
        assert "<script" not in made
        assert "more</p>" not in made
    assert html.count("&lt;script&gt;") == varied._repr_html_().count("&lt;script&gt;") == 1
    assert "Model naive; 8 series, 3 target years; median (80 % range), persons a year" in html
    row = outlook.intervals(0.80).set_index(["location", "measure", "source", "year"])
    for year in outlook.horizons:
        assert f">{drawing.between(KAZ[1], *row.loc[(*KAZ, year)])}</td>" in html
    assert "9 series, 6 locations; persons a year" in varied._repr_html_()
    assert ">1990–2023</td>" in varied._repr_html_()
    held = track.calibration(by=["model"]).query("level == 0.8").set_index("model")["coverage"]
    for model in track.models:
        assert re.search(
            rf">{model}</td>.*?>{100 * held[model]:.0f} %</td>", track._repr_html_(), re.S
        )
    assert "3 series, origins 2008 to 2017" in track._repr_html_()


def test_a_hostile_model_stays_text_in_a_table(outlook: Forecast, track: Track) -> None:
    named = outlook.paths.assign_attrs(model="<b onclick=steal()>", scenario="<i>worst</i>")
    tables = (
        dataclasses.replace(outlook, paths=named)._repr_html_(),
        Track(track.table.assign(model="<b>"), track.joint, track.settings)._repr_html_(),
    )
    for html in tables:
        assert "&lt;b" in html
        assert not re.search(r"<b |<i>|<b></td>", html)
    assert "scenario &lt;i&gt;worst&lt;/i&gt;; no forecast" in tables[0]


def test_long_tables_say_how_many_rows_are_left_out(offices: Panel) -> None:
    for made in (offices, fc.forecast(offices, "naive", draws=100)):
        html = made._repr_html_()
        assert html.count("<tr") == 13
        assert "… and 4 more" in html


def test_a_year_that_is_observed_is_no_forecast(outlook: Forecast) -> None:
    html = outlook._repr_html_()
    row = next(part for part in html.split("<tr>") if "&lt;script&gt;" in part)
    assert [">observed</td>" in row, outlook.horizons[0]] == [True, 2025]


def test_an_event_and_a_scenario_are_tables_of_a_notebook() -> None:
    panel = fc.load("central-asia").select(location="KAZ", source="kz-bns")
    found = fc.impact(panel, "kz-concept-2023-net", model="naive", draws=100, check=())
    html, table = found._repr_html_(), found.effects(0.80)
    assert f"{found.verdict} (p = {found.overall.p_value:.2f}" in html
    last = table.iloc[-1]
    told = drawing.between("immigration", *last[["effect", "lower_calibrated", "upper_calibrated"]])
    assert html.count("<tr") == 1 + len(table)
    assert f">{told}</td>" in html
    assert "errors of the placebos" in html
    alone = fc.impact(
        panel, "kz-concept-2023-net", model="naive", draws=100, check=(), placebos_from=("places",)
    )
    last = alone.effects(0.80).iloc[-1]
    told = drawing.between("immigration", *last[["effect", "lower", "upper"]])
    assert f">{told}</td>" in alone._repr_html_()
    assert "draws of the model alone" in alone._repr_html_()

    outlook = fc.forecast(panel, "naive", (2027,), draws=100)
    what_if = fc.scenario(outlook, "russia-kazakhstan")
    html, row = what_if._repr_html_(), what_if.table(0.80).iloc[0]
    assert "russia-kazakhstan; not a forecast; 3 series reached" in html
    for part in ("baseline", "what_if"):
        ends = [part, f"{part}_lower", f"{part}_upper"]
        assert f">{drawing.between(row['measure'], *row[ends])}</td>" in html
