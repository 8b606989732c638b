"""Charts: well-formed, deterministic, in the page's colours, and never empty."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from forecast.errors import ForecastError
from forecast.language import language
from forecast.reports import charts, sentences
from forecast.reports.series_view import SeriesView, identity
from forecast.reports.svg import COLOURS, drawing, to_svg

ENGLISH = language("en")
Known = dict[tuple[str, str, str], SeriesView]
SVG = "{http://www.w3.org/2000/svg}"


def parse(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(svg.replace("<svg ", f'<svg xmlns="{SVG[1:-1]}" ', 1))  # noqa: S314


@pytest.fixture(scope="module")
def fans(known: Known) -> dict[tuple[str, str, str], str]:
    return {key: charts.fan(view, ENGLISH) for key, view in known.items()}


def test_fans_are_well_formed_and_described(fans: dict, known: Known) -> None:
    for key, svg in fans.items():
        root = parse(svg)
        title, description = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
        assert title is not None
        assert description is not None
        assert title.text == charts.heading(known[key], ENGLISH)
        assert description.text == sentences.fan_description(known[key], ENGLISH)
        assert root.get("aria-labelledby") == f"{title.get('id')} {description.get('id')}"


def test_the_same_input_gives_the_same_bytes(fans: dict, known: Known) -> None:
    for key, svg in fans.items():
        assert charts.fan(known[key], ENGLISH) == svg


def test_ids_are_unique_over_charts(fans: dict, known: Known) -> None:
    drawings = list(fans.values())
    ids = [node.get("id") for svg in drawings for node in parse(svg).iter() if node.get("id")]
    assert len(ids) == len(set(ids))
    for svg in drawings:
        root = parse(svg)
        own = {node.get("id") for node in root.iter()}
        for node in root.iter():
            target = node.get("{http://www.w3.org/1999/xlink}href")
            assert target is None or target[1:] in own


def test_colours_are_the_style_sheet_s(fans: dict) -> None:
    for svg in fans.values():
        assert not any(colour in svg for colour in COLOURS)
        assert not re.search(r"#[0-9a-f]{6}\b", svg)
        assert "var(--accent)" in svg or "var(--ink)" in svg
        assert "font-family" not in svg


def test_flags_and_policy_years_are_drawn(fans: dict) -> None:
    assert ">2027<" in fans["un-wpp", "KAZ", "net_migration"]
    assert ">2027<" not in fans["un-wpp", "TKM", "net_migration"]
    assert "var(--wash)" in fans["kz-bns-balance", "KZ-15", "net_all_flows"]
    plain = fans["kz-bns-balance", "KZ-15", "net_all_flows"].count("stroke-dasharray")
    assert fans["kz-bns-balance", "KZ-11", "net_all_flows"].count("stroke-dasharray") == plain + 1


def test_a_legend_explains_what_is_drawn_and_nothing_else(fans: dict, known: Known) -> None:
    styles = {
        "concept": "stroke-dasharray: 3.6,1.8",
        "interpolated": "stroke-dasharray: 1.5,2.2;",
        "break": "stroke-dasharray: 1.2,2;",
        "missing": "var(--wash)",
        "release": "opacity: 0.6",
    }
    seen = set()
    for key, view in known.items():
        marked = charts.marks([view])
        for name, style in styles.items():
            assert (name in marked) == (style in fans[key]), (key, name)
        seen |= marked
    assert seen == {*styles, "doubted"}
    assert charts.marks(list(known.values())) == seen
    assert charts.marks(list(known.values()), short=True) <= seen
    assert charts.marks([]) == frozenset()


def test_ranking_names_every_region_in_order(known: Known) -> None:
    regions = [view for view in known.values() if not view.national]
    svg = charts.ranking(regions, 2027, ENGLISH)
    texts = [node.text for node in parse(svg).iter(f"{SVG}text")]
    # A long name stands in two lines.
    named = ["Akmola", "Aktobe", "South Kazakhstan", "(Turkistan + Shymkent)"]
    assert [text for text in texts if text in named] == named


def test_an_empty_chart_is_an_error(known: Known) -> None:
    from matplotlib.figure import Figure

    with drawing("x"):
        figure = Figure()
        figure.add_subplot()
        with pytest.raises(ForecastError, match="chart x is empty"):
            to_svg(figure, "x", "title", "description")
    with pytest.raises(ForecastError, match="no series to rank for 2027"):
        charts.ranking([], 2027, ENGLISH)


def test_identities_differ_where_names_do() -> None:
    names = ["реестр", "перепись", "a b", "a-b", "a_b", "KZ-10+KZ-63", "<script>"]
    assert len({identity("fan", name) for name in names}) == len(names)
    assert all(re.fullmatch("[A-Za-z0-9_-]+", identity("x", name)) for name in names)


def test_texts_are_escaped(known: Known) -> None:
    hostile = next(s for s in known.values() if s.series.measure == "emigration")
    svg = charts.fan(hostile, ENGLISH)
    assert "<script>" not in svg
    assert "&lt;script&gt;" in svg
