"""The documentation site: nothing public is left out of it, and it builds without a fault."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import site_check
import site_commands
import site_layout
import site_models
import site_reference
import yaml

import forecast as fc
from forecast.cli.main import cli

ROOT = Path(__file__).resolve().parents[1]
SHELF = {path.stem: path for path in (ROOT / "models").glob("*.toml")}


@pytest.fixture(scope="module")
def reference() -> dict[str, str]:
    return site_reference.pages()


def test_every_public_name_is_in_the_reference(reference: dict[str, str]) -> None:
    text = "\n".join([*reference.values(), site_reference.index(list(reference))])
    shown = set(re.findall(r":: forecast::(\w+)\n", text)) | set(re.findall(r"fc\.(__\w+__)", text))
    assert sorted(set(fc.__all__) - shown) == []


def test_what_verbs_return_is_in_the_reference_with_its_methods(reference: dict[str, str]) -> None:
    for name in ("Panel", "Forecast", "Track", "Impact", "Scenario", "Conditional", "Mirror"):
        page = reference[f"{name}-object"]
        assert re.search(rf"autoclass:: [\w.]+::{name}\n   :members:\n", page)


def test_the_class_and_every_setting_of_every_model_are_in_the_reference(
    reference: dict[str, str],
) -> None:
    for name, path in SHELF.items():
        stated = tomllib.loads(path.read_text(encoding="utf-8"))
        measures = stated["kind"] == "measurement"
        assert (f"\n{name}\n-" in reference["model-classes"]) is not measures
        for key, value in stated.items():
            assert re.search(rf"``{key}(\.[\w.]+)?``", reference["settings"]), key
            for inner in value if isinstance(value, dict) else ():
                assert f"``{key}.{inner}" in reference["settings"], f"{key}.{inner}"


def commands(group: click.Group, name: str) -> Iterator[tuple[str, click.Command]]:
    yield name, group
    for verb, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, f"{name} {verb}")
        else:
            yield f"{name} {verb}", command


def test_every_verb_and_option_has_its_place(tmp_path: Path) -> None:
    site_commands.write(tmp_path)
    for name, command in commands(cli, "forecast"):
        page = (tmp_path / f"{site_commands.slug(name)}.md").read_text(encoding="utf-8")
        for parameter in command.params:
            if isinstance(parameter, click.Option) and not parameter.hidden:
                assert re.search(rf"^`[^`]*{re.escape(parameter.opts[0])}\b", page, re.M), name


@pytest.mark.parametrize(
    "name", sorted({*site_models.names(), *site_models.settings("ensemble")["members"]})
)
def test_every_model_has_a_page_that_takes_what_it_can_from_its_settings(name: str) -> None:
    about = site_models.settings(name)
    path = ROOT / "docs" / "models" / f"{name}.md"
    written = path.read_text(encoding="utf-8")
    assert written.startswith(f"# {about['title']}: `{name}`\n")
    headings = re.findall(r"^## (.*)$", written, re.M)
    assert headings == ["Idea", "Formula", "When to use it", "When not"]
    made = site_models.completed(path, written)
    assert about["summary"] in made
    assert f"| usable years | {about['minimum_years']} or more |" in made
    for reference in about["references"]:
        assert reference.rpartition(", ")[2] in made
    (shown,) = re.findall(r"```toml\n(.*?)```", made, re.S)
    assert tomllib.loads(shown).keys() == about.keys() - {"title", "summary"}
    assert f"]({name}.md)" in site_models.table()


def test_links_of_a_page_are_turned_to_the_site(tmp_path: Path) -> None:
    page = ROOT / "docs" / "models" / "ets.md"
    text = (
        "[a](../time-series.md#what-goes-in) [b](../../CONTRIBUTING.md) [c](../README.md) "
        "[d](../studies) [e](../../data/sources.toml) [f](../../data) [g](https://otexts.com) "
        "![i](beside.png)\n"
        "```\n[h](../hub.md)\n```\n"
    )
    assert site_layout.turned(text, page, tmp_path) == (
        "[a](../time-series.md#what-goes-in) [b](../contributing.md) [c](../tour.md) "
        "[d](../studies/README.md) [e](../_linked/data/sources.toml) `f` [g](https://otexts.com) "
        "![i](beside.png)\n"
        "```\n[h](../hub.md)\n```\n"
    )
    assert (tmp_path / "_linked" / "data" / "sources.toml").is_file()


def test_dead_links_and_requests_to_other_hosts_are_found(tmp_path: Path) -> None:
    (tmp_path / "good.html").write_text('<p id="here"><a href="https://example.org">x</a></p>')
    (tmp_path / "bad.html").write_text(
        '<a href="good.html#here">1</a><a href="good.html#there">2</a><a href="none.html">3</a>'
        '<script src="https://cdn.example.org/x.js"></script>'
        '<style>@import "//example.org/a"</style>'
    )
    (tmp_path / "a.css").write_text("body { background: url(https://example.org/b.png) }")
    found = [fault.partition(": ")[2] for fault in site_check.faults(tmp_path)]
    assert sorted(found) == [
        "asks another host for //example.org/a",
        "asks another host for https://cdn.example.org/x.js",
        "asks another host for https://example.org/b.png",
        "good.html#there has no such place",
        "none.html is not there",
    ]


def test_the_citation_is_of_the_newest_release() -> None:
    said = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert {"cff-version", "message", "title", "authors"} <= said.keys()
    newest = re.search(
        r"^## (\S+) \((\S+)\)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.M
    )
    assert newest is not None
    assert (said["version"], said["date-released"].isoformat()) == newest.groups()


@pytest.mark.thorough
def test_the_site_builds_without_a_warning_a_dead_link_or_a_request(tmp_path: Path) -> None:
    for tool in ("sphinx", "myst_parser", "furo", "latex2mathml", "ziamath"):
        pytest.importorskip(tool, reason=f"{tool} is not installed; `make docs` installs it")
    command = [sys.executable, "docs/site/build.py", "--plain", "--out", str(tmp_path / "site")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    home = (tmp_path / "site" / "index.html").read_text(encoding="utf-8")
    for page in ("start.html", "glossary.html", "models/README.html", "reference/index.html"):
        assert f'href="{page}"' in home
