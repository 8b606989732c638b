"""No number without its source: every sentence of a page, recomputed from draws and scores.

The page is read as text. What it ought to say is worked out here from the draws, the figures
and the score table, without the report's code for sentences.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from forecast import labels
from forecast.evaluate.track import Track
from forecast.evaluate.verdicts import TOO_LITTLE
from forecast.language import Language, rounded
from forecast.outlook import Forecast

SIGNED = {"net_migration", "net_all_flows", "internal_net"}
Key = tuple[str, str, str]
Written = Callable[[str], list[Path]]


def numbers(text: str) -> list[int]:
    found = re.findall(r"[−+]?\d[\d,\u00a0]*", plain(text))
    return [int(re.sub(r"[,\u00a0]", "", item).replace("−", "-")) for item in found]


def plain(text: str) -> str:
    return html.unescape(re.sub(r"<[^>]*>", "", text))


def percent(share: float) -> int:
    return 1 if share < 0.01 else 99 if share > 0.99 else round(100 * share)


#: What was asked before, with the object that it was asked of, so that its identity stays its own.
KEPT: dict[tuple[int, Key | None], tuple[object, pd.DataFrame]] = {}


def drawn(outlook: Forecast, key: Key) -> pd.DataFrame:
    """Draws by year, those of years already observed left out."""
    if (id(outlook), key) not in KEPT:
        KEPT[id(outlook), key] = outlook, _drawn(outlook, key)
    return KEPT[id(outlook), key][1]


def verdicts(track: Track) -> pd.DataFrame:
    if (id(track), None) not in KEPT:
        KEPT[id(track), None] = track, track.verdicts()
    return KEPT[id(track), None][1]


def _drawn(outlook: Forecast, key: Key) -> pd.DataFrame:
    series = outlook.series
    at = (series["source"] == key[0]) & (series["location"] == key[1])
    at &= series["measure"] == key[2]
    paths = outlook.paths.isel(series=int(np.flatnonzero(at)[0])).transpose("draw", "year")
    return pd.DataFrame(paths.to_numpy(), columns=paths["year"].to_numpy()).dropna(axis=1)


def figures(outlook: Forecast, key: Key) -> pd.Series:
    rows = outlook.history.select(source=key[0], location=key[1], measure=key[2]).latest
    return rows.sort_values("year").set_index("year")["value"].dropna()


def expected(values: np.ndarray, measure: str) -> list[int]:
    low, middle, high = (rounded(float(x)) for x in np.quantile(values, [0.1, 0.5, 0.9]))
    if measure not in SIGNED:
        return [low, high, middle]
    ends = (low, high) if low >= 0 or high > 0 else (high, low)
    return [abs(ends[0]), abs(ends[1]), percent((values < 0).mean())]


def more(outlook: Forecast, track: Track, key: Key, year: int) -> list[int]:
    draws, seen = drawn(outlook, key), figures(outlook, key)
    recent = seen.to_numpy()[-5:]
    said = [len(recent), rounded(recent.mean()), percent((draws[year] > recent.mean()).mean())]
    ahead = [y for y in draws.columns if y <= year]
    if len(ahead) > 1:
        total = draws[ahead].sum(axis=1)
        low, middle, high = (rounded(float(x)) for x in np.quantile(total, [0.1, 0.5, 0.9]))
        said += [ahead[0], year, low, high, 80, middle]
    said += contradicting(outlook, key, year)
    return said + record(outlook, track, key, year - int(seen.index[-1]))


def contradicting(outlook: Forecast, key: Key, year: int) -> list[int]:
    """What other sources of the same figure say, where it cannot be squared with this one."""
    ours, said = drawn(outlook, key)[year], []
    for other in outlook.keys:
        if other[1:] == key[1:] and other != key and year in drawn(outlook, other):
            theirs = drawn(outlook, other)[year]
            gains = [float((values > 0).mean()) for values in (ours, theirs)]
            low, high = (theirs.quantile(q) for q in (0.25, 0.75))
            apart = low > ours.quantile(0.75) or high < ours.quantile(0.25)
            signed = key[2] in SIGNED
            if apart or (signed and abs(gains[0] - gains[1]) > 0.15):
                said += [percent(gains[1])] if signed else [rounded(low), rounded(high)]
    return said


def record(outlook: Forecast, track: Track, key: Key, distance: int) -> list[int]:
    """The verdict's numbers, skill and coverage recounted from the scores."""
    table = track.table[track.table["status"] == "scored"].set_index(
        ["source", "location", "measure"]
    )
    judged = verdicts(track).set_index(["model", "source", "location", "measure"]).sort_index()
    if (outlook.model, *key) not in judged.index:
        return []
    rows = judged.loc[[(outlook.model, *key)]]
    horizon = min(rows["horizon"], key=lambda h: (abs(h - distance), -h))
    if too_far(horizon, distance):
        return [horizon]
    if rows.set_index("horizon").loc[horizon, "verdict"] == TOO_LITTLE:
        return [horizon]
    both = table.loc[[key]].query("horizon == @horizon").set_index("origin")
    ours, naive = (both[both["model"] == name] for name in (outlook.model, "naive"))
    common = ours.index.intersection(naive.index)
    ours, naive = ours.loc[common], naive.loc[common]
    skill = round(100 * (1 - ours["crps"].mean() / naive["crps"].mean()))
    held = round(100 * ours["inside_80"].mean())
    return [horizon, abs(skill) if skill else 1, 80, held, len(ours)]


def too_far(tried: int, asked: int) -> bool:
    """Less than half of the way, and more than two years short of it."""
    return 2 * tried < asked and asked - tried > 2


def held(outlook: Forecast, track: Track, key: Key, distance: int) -> list[int]:
    """How often the intervals of a series held, and the distance tried unless it is this one."""
    said = record(outlook, track, key, distance)
    if len(said) < 2:
        return []
    horizon, _, _, share, count = said
    return [share, count] + ([] if horizon == distance else [horizon])


def sections(text: str) -> Iterator[tuple[str, int, str, str, str]]:
    """Country, year, what and source of each sentence in the countries' sections."""
    for found in re.finditer(
        r'<section id="(\w+)-(\d{4})" class="horizon".*?</section>', text, re.DOTALL
    ):
        for term, said in re.findall(r"<dt>(.*?)</dt>\s*<dd>(.*?)</dd>", found[0], re.DOTALL):
            what, source = re.fullmatch(r"(.*?) <bdi[^>]*>(.*)</bdi>", term, re.DOTALL).groups()  # type: ignore[union-attr]
            yield found[1], int(found[2]), plain(what), plain(source), said


def key_of(outlook: Forecast, place: str, what: str, source: str, words: Language) -> Key:
    rows = outlook.series[outlook.series["location"] == place]
    keys = [
        (row.source, row.location, row.measure)
        for row in rows.itertuples()
        if (labels.measure(row.measure, words), labels.source(row.source, words)) == (what, source)
    ]
    assert len(keys) == 1, (place, what, source)
    return keys[0]


def check(text: str, annex: str, outlook: Forecast, track: Track, words: Language) -> int:
    """Compare every sentence on a target year with what it ought to say; return how many."""
    count = measures(text, outlook)
    for place, year, what, source, said in sections(annex):
        key = key_of(outlook, place, what, source, words)
        draws = drawn(outlook, key)
        if year not in draws:
            assert numbers(said) == [round(figures(outlook, key)[year])]
        else:
            ought = expected(draws[year].to_numpy(), key[2]) + more(outlook, track, key, year)
            assert numbers(said) == ought, (key, year, plain(said))
        count += 1
    first = text[text.index('class="first"') : text.index('class="caution"')]
    for body in re.findall(r'<tbody id="front-\w+">.*?</tbody>', first, re.DOTALL):
        rows = re.findall(
            r'<tr data-series="(.*?)" data-year="(\d+)".*?>(.*?)</tr>', body, re.DOTALL
        )
        for series, stated, said in rows:
            key, year = tuple(series.split(" ")), int(stated)
            said = re.sub(r"<[^>]*>", " ", said)
            # How often ranges held, a language may say with the whole before the part.
            ought = front_row(outlook, track, key, year)  # type: ignore[arg-type]
            assert (numbers(said)[:6], sorted(numbers(said))) == (ought[:6], sorted(ought)), series
            count += 1
        key, year = tuple(rows[0][0].split(" ")), int(rows[-1][1])
        draws, text_of = drawn(outlook, key), re.search(r'class="said"><td[^>]*>(.*?)</td>', body)  # type: ignore[arg-type]
        if year in draws and key[2] in SIGNED:
            ought = [year, abs(rounded(draws[year].median())), percent((draws[year] < 0).mean())]
            assert numbers(text_of[1])[:3] == ought  # type: ignore[index]
            count += 1
    return count


def measures(text: str, outlook: Forecast) -> int:
    """Compare the sentence and the table of each measure on the main page; return how many."""
    count = 0
    for found in re.finditer(r'<section id="measure-.*?</section>', text, re.DOTALL):
        series, stated = re.search(r'data-series="(.*?)" data-year="(\d+)"', found[0]).groups()  # type: ignore[union-attr]
        key, year = tuple(html.unescape(series).rsplit(" ", 2)), int(stated)
        draws, seen = drawn(outlook, key), figures(outlook, key)  # type: ignore[arg-type]
        said = numbers(re.sub(r"</h3>\s*<p>", "", found[0].split("</h3>")[1].split("</p>")[0]))
        middle = rounded(draws[year].median()) if year in draws else round(seen[year])
        ought = [year, abs(middle)] if year in draws else [middle]
        if year in draws and key[2] in SIGNED:
            ought.append(percent((draws[year] < 0).mean()))
        assert sorted(said) == sorted(ought), (key, year)
        rows = re.findall(r'<tr><th scope="row".*?</tr>', found[0], re.DOTALL)
        assert len(rows) == len(outlook.horizons)
        for row, at in zip(rows, outlook.horizons):
            quantiles = [draws[at].quantile(q) for q in (0.5, 0.1, 0.9)] if at in draws else []
            shown = [rounded(one, 3) for one in quantiles] or [round(seen[at])]
            assert numbers(re.sub(r"<[^>]*>", " ", row)) == [at, *shown], (key, at)
        count += 1
    return count


def front_row(outlook: Forecast, track: Track, key: Key, year: int) -> list[int]:
    seen, draws = figures(outlook, key), drawn(outlook, key)
    said = [round(seen.iloc[-1]), int(seen.index[-1]), year]
    if year not in draws:
        return [*said, round(seen[year])]
    middle, low, high = (rounded(draws[year].quantile(q)) for q in (0.5, 0.1, 0.9))
    said += [middle, low, high]
    if key[2] in SIGNED:
        said.append(percent((draws[year] < 0).mean()))
    return said + held(outlook, track, key, year - int(seen.index[-1]))


def test_every_sentence_is_supported(
    judged: Forecast, track: Track, spoken: Language, judged_report: Written
) -> None:
    made = judged_report(spoken.code)
    main, annex = (made[at].read_text(encoding="utf-8") for at in (0, 4))
    assert measures(main, judged) >= 5
    assert check(main, annex, judged, track, spoken) >= 17


def test_the_check_sees_a_wrong_number(
    judged: Forecast, track: Track, spoken: Language, judged_report: Written
) -> None:
    made = judged_report(spoken.code)
    main, annex = (made[at].read_text(encoding="utf-8") for at in (0, 4))
    start = annex.index('class="horizon"')
    spoilt = annex[:start] + re.sub(r"(<dd>\D*)(\d)", r"\g<1>9\2", annex[start:], count=1)
    with pytest.raises(AssertionError):
        check(main, spoilt, judged, track, spoken)
    start = main.index('<section id="measure-')
    for pattern in (r"(</h3>\s*<p>\D*)(\d)", r"(<td class=\"n\"><strong>\D*)(\d)"):
        spoilt = main[:start] + re.sub(pattern, r"\g<1>9\2", main[start:], count=1)
        with pytest.raises(AssertionError):
            check(spoilt, annex, judged, track, spoken)
