"""What a hubverse hub is made of: folders, columns, names."""

from __future__ import annotations

import re

#: Version of the hubverse's schemas that is written and checked.
VERSION = "v6.0.0"
_ADDRESS = "https://raw.githubusercontent.com/hubverse-org/schemas/main"
#: Files in ``hub-config``.
ADMIN, TASKS = "hub-config/admin.json", "hub-config/tasks.json"
METADATA_SCHEMA = "hub-config/model-metadata-schema.json"
TARGET_DATA = "hub-config/target-data.json"
CONFIG = (ADMIN, TASKS, METADATA_SCHEMA, TARGET_DATA)
OUTPUT, METADATA, TARGETS = "model-output", "model-metadata", "target-data"
TIME_SERIES, ORACLE = f"{TARGETS}/time-series.csv", f"{TARGETS}/oracle-output.csv"
#: Columns of model output beside the task ids; there is no ``model_id``, the folder says it.
STANDARD = ("output_type", "output_type_id", "value")
#: What makes a task of ours, in the order of the columns.
TASK_IDS = ("origin_date", "source", "target", "location", "horizon", "target_end_date")
ROUND, DERIVED = "origin_date", "target_end_date"
#: What identifies one observed figure.
UNIT = ("source", "target", "location", "target_end_date")
ABBREVIATION = re.compile(r"[A-Za-z0-9_]+")


def schema_address(config: str) -> str:
    """Return the address that names a schema of the hubverse, such as ``tasks-schema.json``."""
    return f"{_ADDRESS}/{VERSION}/{config}-schema.json"


def abbreviation(name: str) -> str:
    """Return a team's or model's name as an abbreviation: letters, digits and underscores.

    Examples
    --------
    >>> abbreviation("my-model 2")
    'my_model_2'
    """
    return re.sub(r"[^A-Za-z0-9_]+", "_", name).strip("_")[:40] or "unnamed"


def year_end(year: int) -> str:
    """Return the last day of a year, which stands for the year."""
    return f"{year}-12-31"
