"""Keeps the catalogues of the report: `python data/compile/catalogues.py`.

Collects every message from the code, the templates, the models' settings, scenarios, targets,
concepts, events and the descriptions of the bundled data, writes the template
`locale/forecast.pot` and brings each language's catalogue up to date. Messages that nobody
translated stay empty, and a test names them.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from forecast.artifacts import atomic_file
from forecast.data import package
from forecast.horizons import CONCEPTS
from forecast.impacts.event import event
from forecast.impacts.event import names as events
from forecast.models.registry import table as registry
from forecast.scales import POPULATION_RULE
from forecast.scenarios.scenario import names as scenarios
from forecast.scenarios.scenario import read as read_scenario
from forecast.scenarios.targets import read as read_targets

_PACKAGE = Path(__file__).parents[2] / "forecast"
_LOCALE = _PACKAGE / "reports" / "locale"
_KEYWORDS = {
    "message": None, "say": None, "count": (1, 2), "_": None, "gettext": None, "ngettext": (1, 2)
}  # fmt: skip
#: Where the words of a reader are: what is said in these modules, and in the templates.
_METHODS = [
    ("reports/**.py", "python"),
    ("impacts/sentences.py", "python"),
    ("labels.py", "python"),
    ("language.py", "python"),
    ("measures.py", "python"),
    ("reports/templates/*.html", "jinja2"),
]
_OPTIONS = {"reports/templates/*.html": {"trimmed": "true", "newstyle_gettext": "true"}}


def messages() -> Catalog:
    """Return every message of the report, without translations."""
    catalogue = Catalog(project="migration-forecast", fuzzy=False)
    for _, _, text, _, context in extract_from_dir(_PACKAGE, _METHODS, _OPTIONS, _KEYWORDS):
        catalogue.add(text, context=context)
    for text in data_texts():
        catalogue.add(text)
    return catalogue


def data_texts() -> Iterator[str]:
    """Return the texts that come from data: models, bundled tables, population rules."""
    models = registry()
    yield from [*models["title"], *models["summary"], POPULATION_RULE]
    for shock in map(read_scenario, scenarios()):
        yield from (shock.title, shock.summary, shock.judgement)
        yield from (entry.because for place in shock.places for entry in place.counted)
    yield from (stated.title for stated in CONCEPTS.values())
    for known in map(event, events()):
        yield from (known.title, known.limit)
    for target in read_targets():
        yield from filter(None, (target.text, target.why))
    described = package.description()
    for name in [*described["panels"]["central-asia"], *described["moves"]["central-asia"]]:
        entry = package.resource(name)
        for text in ("title", "description", "unit", "coverage"):
            yield str(entry[text])
        yield from entry["caveats"]
        yield from (stated["title"] for stated in [*entry["sources"], *entry["licenses"]])


def as_po(catalogue: Catalog) -> bytes:
    """Return a catalogue as text, the same bytes for the same messages."""
    target = io.BytesIO()
    write_po(target, catalogue, width=96, no_location=True, sort_output=True, omit_header=True)
    head = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n'
    if catalogue.locale is not None:
        head += f'"Language: {catalogue.locale}\\n"\n'
        head += f'"Plural-Forms: {catalogue.plural_forms}\\n"\n'
    return f"{head}\n".encode() + target.getvalue()


def catalogues() -> dict[str, Path]:
    """Return the catalogue of each language that has one."""
    found = sorted(_LOCALE.glob("*/LC_MESSAGES/forecast.po"))
    return {path.parts[-3]: path for path in found}


def update() -> None:
    """Write the template anew, and every catalogue with what it has translated."""
    template = messages()
    files = {_LOCALE / "forecast.pot": as_po(template)}
    for code, path in catalogues().items():
        with path.open("rb") as file:
            known = read_po(file, locale=code)
        known.update(template, no_fuzzy_matching=True)
        known.obsolete.clear()
        files[path] = as_po(known)
    for path, content in files.items():
        with atomic_file(path) as temporary:
            temporary.write_bytes(content)


if __name__ == "__main__":
    update()
