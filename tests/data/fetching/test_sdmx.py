"""SDMX messages in every form that is read."""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd
import pytest

from forecast.data.sources.sdmx import read_message
from forecast.errors import DataError

V21 = "http://www.sdmx.org/resources/sdmxml/schemas/v2_1"
HEADER = f"""<m:Header><m:ID>X</m:ID><m:Test>false</m:Test>
<m:Prepared>2026-07-01T10:00:00</m:Prepared><m:Sender id="ESTAT"/>
<m:Structure structureID="S" dimensionAtObservation="TIME_PERIOD" {{0}}><c:Structure
xmlns:c="{V21}/common"><Ref agencyID="ESTAT" id="MIGR" version="1.0"/></c:Structure></m:Structure>
</m:Header>"""
GENERIC = f"""<?xml version="1.0" encoding="UTF-8"?>
<m:GenericData xmlns:m="{V21}/message" xmlns:g="{V21}/data/generic">{HEADER.format("")}
<m:DataSet structureRef="S" action="Replace"><g:Series><g:SeriesKey>
<g:Value id="freq" value="A"/><g:Value id="geo" value="DE"/></g:SeriesKey>
<g:Obs><g:ObsDimension value="2022"/><g:ObsValue value="2665772"/>
<g:Attributes><g:Value id="OBS_FLAG" value="b"/></g:Attributes></g:Obs>
<g:Obs><g:ObsDimension value="2023"/><g:ObsValue value="NaN"/></g:Obs>
</g:Series></m:DataSet></m:GenericData>"""
URN = "urn:sdmx:org.sdmx.infomodel.datastructure.DataStructure=ESTAT:MIGR(1.0)"
SPECIFIC = f"""<?xml version="1.0" encoding="UTF-8"?>
<m:StructureSpecificData xmlns:m="{V21}/message" xmlns:s="{V21}/data/structurespecific"
xmlns:n="{URN}:ObsLevelDim:TIME_PERIOD" xmlns:x="http://www.w3.org/2001/XMLSchema-instance">
{HEADER.format(f'namespace="{URN}"')}
<m:DataSet s:action="Replace" s:structureRef="S" x:type="n:DataSetType"
s:dataScope="DataStructure"><Series freq="A" geo="DE">
<Obs TIME_PERIOD="2022" OBS_VALUE="2665772" OBS_FLAG="b"/><Obs TIME_PERIOD="2023" OBS_VALUE="NaN"/>
</Series></m:DataSet></m:StructureSpecificData>"""
JSON = """{"header": {"id": "1", "prepared": "2026-07-01T10:00:00Z", "test": false,
"sender": {"id": "X"}}, "dataSets": [{"action": "Information", "series": {"0:0": {"attributes": [],
"observations": {"0": [2665772, 0], "1": [null, null]}}}}],
"structure": {"name": "x", "dimensions": {"dataSet": [], "series": [
{"id": "freq", "name": "f", "keyPosition": 0, "values": [{"id": "A", "name": "Annual"}]},
{"id": "geo", "name": "g", "keyPosition": 1, "values": [{"id": "DE", "name": "Germany"}]}],
"observation": [{"id": "TIME_PERIOD", "name": "t", "role": "time",
"values": [{"id": "2022", "name": "2022"}, {"id": "2023", "name": "2023"}]}]},
"attributes": {"dataSet": [], "series": [], "observation": [
{"id": "OBS_STATUS", "name": "s", "values": [{"id": "b", "name": "Break"}]}]}}}"""
CSV = """DATAFLOW,LAST UPDATE,freq,geo,TIME_PERIOD,OBS_VALUE,OBS_FLAG
ESTAT:MIGR(1.0),26/11/25 11:00:00,A,DE,2022,2665772,b
ESTAT:MIGR(1.0),26/11/25 11:00:00,A,DE,2023,,
"""
EXPECTED = pd.DataFrame(
    {
        "freq": "A",
        "geo": "DE",
        "TIME_PERIOD": ["2022", "2023"],
        "OBS_VALUE": [2_665_772, float("nan")],
        "OBS_STATUS": ["b", ""],
    }
)


@pytest.mark.parametrize(
    ("text", "name"),
    [(CSV, "csv"), (GENERIC, "xml"), (SPECIFIC, "xml"), (JSON, "json")],
    ids=["csv", "generic", "structure-specific", "json"],
)
def test_every_form_gives_the_same_table(tmp_path: Path, text: str, name: str) -> None:
    if name != "csv":
        pytest.importorskip("sdmx", reason="the extra sdmx is not installed")
    path = tmp_path / f"message.{name}"
    path.write_text(text, encoding="utf-8")
    read = read_message(path)
    pd.testing.assert_frame_equal(
        read[list(EXPECTED)].sort_values("TIME_PERIOD", ignore_index=True),
        EXPECTED,
        check_dtype=False,
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n", "has no TIME_PERIOD"),
        (CSV.replace("2665772", "many"), "'many' is not a number"),
        ("a,b\n1,2,3,4\n1,2\n", "is no SDMX-CSV|has no TIME_PERIOD"),
        ("<a/>", "no SDMX message"),
        ("{}", "no SDMX message|without data"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "declares entities"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, text: str, message: str) -> None:
    if text[0] in "<{" and "ENTITY" not in text:
        pytest.importorskip("sdmx", reason="the extra sdmx is not installed")
    path = tmp_path / "message"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=message):
        read_message(path)


def test_without_the_library_the_message_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "sdmx", None)
    path = tmp_path / "message.xml"
    path.write_text(GENERIC, encoding="utf-8")
    with pytest.raises(DataError, match=r"migration-forecast\[sdmx\]"):
        read_message(path)
