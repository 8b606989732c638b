"""World Population Prospects as fetched: one bulk file per vintage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from forecast.data.sources.catalogue import Get, Source
from forecast.data.sources.fetched import Fetched
from forecast.data.wpp_bulk import read_bulk
from forecast.errors import unknown_name
from forecast.panel import Panel


def collect(source: Source, get: Get, releases: Sequence[int]) -> Mapping[str, str]:
    """Fetch the bulk files of the vintages asked for; all that are known by default."""
    known = sorted({int(file["release"]) for file in source["files"]})
    wanted = sorted(set(releases)) or known
    for release in wanted:
        if release not in known:
            raise unknown_name(f"vintage of {source.name}", str(release), map(str, known))
    for file in source["files"]:
        if file["release"] in wanted:
            notes = {
                key: str(file.get(key, ""))
                for key in ("release", "sha256", "released", "last_estimate")
            }
            get(file["path"], file["content"], file.get("role", "data"), **notes)
    return {"releases": ", ".join(map(str, wanted))}


def panel(fetched: Fetched) -> Panel:
    """Return net migration of all countries, every vintage with its day of release."""
    people = {file.told["release"]: fetched.path(file) for file in fetched.of("population")}
    read = []
    for file in fetched.of("data"):
        last = file.told.get("last_estimate")
        read.append(
            read_bulk(
                fetched.path(file),
                vintage=int(file.told["release"]),
                released=file.told.get("released") or None,
                last_estimate=int(last) if last else None,
                population=people.get(file.told["release"]),
            )
        )
    if len(read) == 1:
        return read[0]
    return Panel.from_frame(
        pd.concat([part.to_frame() for part in read], ignore_index=True), step=read[0].step
    )
