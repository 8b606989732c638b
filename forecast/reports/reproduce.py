"""How to make a page again: the shell command that made it, or the calls from Python."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from forecast.data import package
from forecast.outlook import Forecast

if TYPE_CHECKING:
    from forecast.evaluate.track import Track

#: What a file is given as; anything else was made in Python and has only a name here.
_PATHS = (str, Path)


def shown(given: str | Path) -> str:
    """Return a file or name as it was given; of an absolute path only the last part.

    Where a file lies on one machine says nothing on another, and may say whose it is.

    Examples
    --------
    >>> shown("tables/own.csv"), shown("/home/me/own.csv"), shown("central-asia")
    ('tables/own.csv', 'own.csv', 'central-asia')
    """
    path = Path(given)
    return path.name if path.is_absolute() else str(given)


def command(
    data: str,
    model: str,
    seed: int,
    draws: int,
    *,
    horizons: Sequence[int] | None = None,
    language: str | None = None,
    track: Path | None = None,
    thresholds: Path | None = None,
    threshold: Sequence[str] = (),
    previous: Path | None = None,
    scenarios: Sequence[str] = (),
    targets: str | None = None,
    impacts: Sequence[str] = (),
) -> list[str]:
    """Return the words of the command `forecast report` with everything that shapes the page.

    Options left out are those at their default; where the files go is not among them.
    """
    words = ["forecast", "report", "--data", shown(data), "--model", model]
    words += ["--seed", str(seed), "--draws", str(draws)]
    if horizons is not None:
        words += ["--horizons", ",".join(map(str, horizons))]
    if language is not None:
        words += ["--language", language]
    for option, path in (("--track", track), ("--thresholds", thresholds)):
        if path is not None:
            words += [option, shown(path)]
    for text in threshold:
        words += ["--threshold", text]
    if previous is not None:
        words += ["--previous", shown(previous)]
    for option, names in (("--scenario", scenarios), ("--impact", impacts)):
        for name in names:
            words += [option, shown(name)]
    return words if targets is None else [*words, "--targets", shown(targets)]


def calls(
    outlook: Forecast,
    track: Track | str | Path | None,
    *,
    language: str,
    name: str,
    thresholds: object = None,
    previous: str | Path | None = None,
    scenarios: Sequence[object] = (),
    targets: object = None,
    impacts: Sequence[object] = (),
) -> list[str]:
    """Return the calls from Python that make the page.

    Names and files stand as they were given. What was handed over as an object has only the
    name of its parameter: ``panel`` too, unless it is a bundled one.
    """
    attributes = outlook.paths.attrs
    lines = [f'panel = fc.load("{data}")' for data in _bundled(outlook)]
    lines.append(
        f'outlook = fc.forecast(panel, model="{outlook.model}", horizons={outlook.horizons}, '
        f"draws={outlook.paths.sizes['draw']}, seed={attributes['seed']})"
    )
    asked = ["outlook"]
    if track is not None:
        asked.append(_given("track", track))
    if language != "en":
        asked.append(f'language="{language}"')
    if name != "central-asia":
        asked.append(f"name={_quoted(name)}")
    listed = [_given("", one) for one in scenarios]
    if listed:
        asked.append(f"scenarios={'scenarios' if '' in listed else '[' + ', '.join(listed) + ']'}")
    others = (("thresholds", thresholds), ("previous", previous), ("targets", targets))
    asked += [f"{option}={_given(option, given)}" for option, given in others if given]
    if impacts:
        asked.append("impacts=impacts")
    return [*lines, f"fc.report({', '.join(asked)})"]


def _given(option: str, value: object) -> str:
    """Write a name or a file as it was given, anything else by the name of its parameter."""
    return _quoted(shown(value)) if isinstance(value, _PATHS) else option


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _bundled(outlook: Forecast) -> list[str]:
    """Return the name of the bundled panel that was forecast, if one was."""
    known = outlook.history.hash
    return [name for name in package.names() if package.load(name).hash == known][:1]
