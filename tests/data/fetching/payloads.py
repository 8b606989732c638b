"""Small answers in the documented form of each source."""

from __future__ import annotations

import gzip
import io
import json
import zipfile

import pandas as pd

from .conftest import Server, plain

WB = "?format=json&per_page=20000&page="


def worldbank(server: Server, *, net: float = -12_000.0, updated: str = "2026-07-01") -> None:
    """Serve the indicators of the catalogue; net migration in two pages."""
    figures = {
        "SM.POP.NETM": {("KAZ", 2022): net, ("KAZ", 2023): 5_000, ("UZB", 2023): None},
        "SP.POP.TOTL": {("KAZ", 2022): 19_600_000, ("KAZ", 2023): 19_900_000},
        "BX.TRF.PWKR.CD.DT": {("KAZ", 2022): 455e6, ("UZB", 2022): 16.7e9},
        "NY.GDP.PCAP.KD": {("KAZ", 2022): 11_244.5, ("UZB", 2022): None},
        "SL.TLF.TOTL.IN": {("KAZ", 2022): 9_500_000},
    }
    for indicator, values in figures.items():
        pages = 2 if indicator == "SM.POP.NETM" else 1
        rows = [_row(indicator, code, year, value) for (code, year), value in values.items()]
        group = 170_000.0 if indicator == "SP.POP.TOTL" else 1.0
        rows += [_row(indicator, code, 2022, group) for code in ("WLD", "ECS", "", "CHI")]
        for page in range(1, pages + 1):
            about = {"page": page, "pages": pages, "per_page": 20000, "total": len(rows)}
            about |= {"sourceid": "2", "lastupdated": updated}
            part = rows[page - 1 :: pages]
            path = f"/v2/country/all/indicator/{indicator}{WB}{page}"
            body = json.dumps([about, part])
            server.answers[path] = plain(body, ETag=f'"{abs(hash(body))}"')


def _row(indicator: str, code: str, year: int, value: float | None) -> dict[str, object]:
    return {
        "indicator": {"id": indicator, "value": "as named"},
        "country": {"id": code[:2], "value": "as named"},
        "countryiso3code": code,
        "date": str(year),
        "value": value,
        "unit": "",
        "obs_status": "",
        "decimal": 0,
    }


def unhcr(server: Server, last: int) -> None:
    """Serve totals by country of asylum in two pages, by country of origin in one."""
    base = f"/population/?limit=1000&page={{}}&yearFrom=1951&yearTo={last}&{{}}=true&cf_type=ISO"
    hosted = [
        {"year": 2023, "coa_iso": "TJK", "refugees": "10743", "asylum_seekers": "-"},
        {"year": 2024, "coa_iso": "TJK", "refugees": 9800, "asylum_seekers": 512},
        {"year": 2024, "coa_iso": "-", "refugees": 1, "asylum_seekers": 1},
    ]
    abroad = [{"year": 2024, "coo_iso": "UZB", "refugees": 2300, "asylum_seekers": "0"}]
    for number, items in enumerate((hosted[:1], hosted[1:]), start=1):
        body = {"page": number, "maxPages": 2, "total": [], "items": items}
        server.answers[base.format(number, "coa_all")] = plain(json.dumps(body))
    body = {"page": 1, "maxPages": 1, "total": [], "items": abroad}
    server.answers[base.format(1, "coo_all")] = plain(json.dumps(body))


def eurostat(server: Server) -> None:
    """Serve four messages in SDMX-CSV."""
    about = "DATAFLOW,LAST UPDATE,"
    gind, flow = about + "freq,indic_de,geo,", about + "freq,agedef,age,unit,sex,geo,"
    end = "TIME_PERIOD,OBS_VALUE,OBS_FLAG,CONF_STATUS\n"
    stamp = "ESTAT:{}(1.0),26/11/25 11:00:00,A,"
    net = [("DE", 2022, 1_462_089, "b"), ("DE", 2023, 662_964, "p"), ("EL", 2023, "", "")]
    net += [("EU27_2020", 2023, 2_000_000, "ep"), ("EL", 2022, 16_356, "")]
    people = [("DE", 2022, 83_797_985, ""), ("EU27_2020", 2022, 447_000_000, "")]
    server.answers["/demo_gind/A.CNMIGRAT.?format=SDMX-CSV"] = plain(
        gind + end + _lines(stamp.format("DEMO_GIND") + "CNMIGRAT,", net)
    )
    server.answers["/demo_gind/A.AVG.?format=SDMX-CSV"] = plain(
        gind + end + _lines(stamp.format("DEMO_GIND") + "AVG,", people)
    )
    for table, value in (("migr_imm8", 2_071_690), ("migr_emi2", 533_000)):
        rows = [("DE", 2022, value, "b"), ("UK", 2019, 680_900, "")]
        server.answers[f"/{table}/A.COMPLET.TOTAL.NR.T.?format=SDMX-CSV"] = plain(
            flow + end + _lines(stamp.format(table.upper()) + "COMPLET,TOTAL,NR,T,", rows)
        )


def _lines(start: str, rows: list[tuple[str, int, object, str]]) -> str:
    return "".join(f"{start}{geo},{year},{value},{flag},\n" for geo, year, value, flag in rows)


def siat(server: Server, *, unit: str = "thousand people") -> None:
    """Serve population in thousands, births and deaths, of the country and two regions."""
    places = {"1700": (34_000.0, 35_000.0), "1703": (3_253.5, 3_322.7), "1726": (2_909.5, 2_956.4)}
    for number, key in (("246", 0), ("223", 1), ("226", 2)):
        rows: list[dict[str, object]] = [
            {"Code": "1703202", "Klassifikator_en": "a district", "2021": 1, "2022": 2, "2023": 3}
        ]
        for code, (first, second) in places.items():
            years = {
                0: {"2021": first - 60, "2022": first, "2023": second, "2024": None},
                1: {"2021": 80_000, "2022": 90_000, "2023": 95_000},
                2: {"2021": "18 000", "2022": 15_000, "2023": 16_000},
            }[key]
            rows.append({"Code": code, "Klassifikator_en": "a place", **years})
        told = [
            {"name_en": "Unit of measurement", "value_en": unit if key == 0 else "people"},
            {"name_en": "Last modified date", "value_en": "22.04.2026"},
        ]
        server.answers[f"/sdmx_data_{number}.json"] = plain(
            json.dumps([{"metadata": told, "data": rows}])
        )


def wpp_table(release: int, value: float) -> str:
    """Return the text of a small bulk file by calendar year."""
    rows = [
        {"LocID": 398, "ISO3_code": "KAZ", "LocTypeName": "Country/Area", "Time": year}
        | {"TPopulation1July": 19_000.5, "NetMigrations": value, "VarID": 2}
        for year in range(2018, release + 2)
    ]
    rows.append({**rows[0], "LocID": 900, "ISO3_code": None, "LocTypeName": "World"})
    return "\ufeff" + pd.DataFrame(rows).to_csv(index=False)


def wpp(server: Server) -> None:
    """Serve two vintages, one as a ZIP archive and one packed with gzip."""
    base = "/Download/Files/1_Indicators%20(Standard)/CSV_FILES/"
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("WPP2022_Demographic_Indicators_Medium.csv", wpp_table(2022, -9.5))
    server.answers[base + "WPP2022_Demographic_Indicators_Medium.zip"] = plain(archive.getvalue())
    base = "/assets/Excel%20Files/1_Indicator%20(Standard)/CSV_FILES/"
    packed = gzip.compress(wpp_table(2024, 4.25).encode())
    server.answers[base + "WPP2024_Demographic_Indicators_Medium.csv.gz"] = plain(packed)
