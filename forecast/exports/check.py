"""The check of a hub: configuration, metadata, model output, target data."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import yaml

from forecast.exports import files
from forecast.exports.config_rules import (
    against_schema,
    metadata_schema_findings,
    round_ids,
    schema_findings,
    target_data_findings,
    task_findings,
)
from forecast.exports.files import Finding, Hub, quoted, read_hub, read_table
from forecast.exports.output_rules import Submission, table_problems
from forecast.exports.target_rules import target_findings


def check_hub(folder: str | Path) -> pd.DataFrame:
    """Check a hub against version 6 of the hubverse's format.

    Parameters
    ----------
    folder : str or Path

    Returns
    -------
    DataFrame
        ``file, rule, problem``, one row per broken rule; empty for a valid hub. While the
        configuration breaks its schema, nothing that rests on it is checked.

    Raises
    ------
    DataError
        If the folder is not there.
    """
    hub = read_hub(folder)
    found = [*hub.findings, *schema_findings(hub), *metadata_schema_findings(hub)]
    if not found:
        found += [*task_findings(hub), *target_data_findings(hub)]
    if not found:
        found += [*_metadata_findings(hub), *_output_findings(hub), *target_findings(hub)]
    return pd.DataFrame(found, columns=Finding._fields)


def _metadata_findings(hub: Hub) -> Iterator[Finding]:
    """Yield what is wrong with the description of each model, and which has none."""
    described = set()
    for path in hub.files(files.METADATA):
        name = hub.name(path)
        if path.suffix not in {".yml", ".yaml"}:
            yield Finding(name, "metadata", "is not YAML; write TEAM-MODEL.yml.")
            continue
        try:
            content = yaml.safe_load(path.read_text(encoding="utf-8"))
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            yield Finding(name, "metadata", f"is not YAML: {str(error).splitlines()[0]}.")
            continue
        problems = against_schema(content, hub.configs[files.METADATA_SCHEMA])
        for problem in problems:
            yield Finding(name, "metadata", problem)
        if problems or not isinstance(content, dict):
            continue
        stated = content.get("model_id", f"{content.get('team_abbr')}-{content.get('model_abbr')}")
        if stated != path.stem:
            yield Finding(name, "metadata", f"describes {stated}; name the file {stated}.yml.")
        described.add(path.stem)
    room = hub.folder / str(hub.admin.get("model_output_dir", files.OUTPUT))
    models = {path.name for path in room.iterdir() if path.is_dir()} if room.is_dir() else set()
    if models - described:
        missing = quoted(sorted(models - described))
        yield Finding(files.METADATA, "metadata", f"there is no valid description of {missing}.")


def _output_findings(hub: Hub) -> Iterator[Finding]:
    """Yield what is wrong with every file of model output."""
    room = str(hub.admin.get("model_output_dir", files.OUTPUT))
    if not (hub.folder / room).is_dir():
        yield Finding(room, "file", "is missing; forecasts lie in it.")
        return
    rounds: dict[tuple[Path, str], Path] = {}
    for path in hub.files(room):
        first = rounds.setdefault((path.parent, files.stem(path)), path)
        if first != path:
            problem = f"is a second file of this round beside {first.name}; keep one."
            yield Finding(hub.name(path), "one file a round", problem)
        for rule, problem in _file_problems(hub, path):
            yield Finding(hub.name(path), rule, problem)


def _file_problems(hub: Hub, path: Path) -> Iterator[tuple[str, str]]:
    model, name = path.parent.name, files.stem(path)
    parts = model.split("-")
    if len(parts) != 2 or not all(files.ABBREVIATION.fullmatch(part) for part in parts):
        yield (
            "model id",
            f"folder {model!r} is not TEAM-MODEL; letters, digits and _ only, one hyphen between.",
        )
        return
    if not name.endswith(f"-{model}"):
        yield "file name", f"the name does not end in -{model}; write ROUND-{model}{path.suffix}."
        return
    identity = name.removesuffix(f"-{model}")
    entry = next((entry for entry in hub.rounds if identity in round_ids(entry)), None)
    if entry is None:
        known = quoted(name for entry in hub.rounds for name in round_ids(entry))
        yield "round", f"there is no round {identity!r}; known are {known}."
        return
    formats = entry.get("file_format", hub.admin["file_format"])
    if path.suffix.removeprefix(".") not in formats:
        yield "file format", f"the ending is {path.suffix}; the hub takes {', '.join(formats)}."
        return
    try:
        table = read_table(path)
    except ValueError as error:
        yield "file", f"{error}."
        return
    yield from table_problems(Submission(table, entry, identity, hub.derived))
