"""Files as statistical offices publish them, and what may not pass in silence: units and parts."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import forecast as fc
from forecast.data.checks import check
from forecast.data.tables import Reading, understand
from forecast.data.tables.words import stated, unit_of
from forecast.errors import DataError, ForecastError


def read(folder: Path, text: str, name: str = "t.csv", **options: object) -> Reading:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return understand(path, **options)  # type: ignore[arg-type]


def values(reading: Reading) -> dict[tuple[str, str], list[float]]:
    return {(series.location, series.measure): series.values.tolist() for series in reading.panel}


def problem(reading: Reading) -> str:
    with pytest.raises(ForecastError) as caught:
        _ = reading.panel
    assert len(reading.problems) == 1, reading.problems
    return str(caught.value)


TIDY = "location,measure,{name},year,value\n" + "".join(
    f"KZ,immigration,{{cell}},{year},{value}\n" for year, value in ((2011, 14), (2012, 13))
)


@pytest.mark.parametrize(
    ("code", "factor"),
    [
        ("THS_PER", 1000), ("THS", 1000), ("MIO", 1e6), ("PER", 1), ("NR", 1), ("PS: Persons", 1),
        ("Thousand persons", 1000), ("1000 persons", 1000), ("тыс. чел.", 1000), ("Number", 1),
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["unit", "UNIT_MEASURE", "UOM"])
def test_known_units_beside_the_figures_scale(
    tmp_path: Path, name: str, code: str, factor: float
) -> None:
    reading = read(tmp_path, TIDY.format(name=name, cell=code))
    assert values(reading)["KAZ", "immigration"] == [14 * factor, 13 * factor]


@pytest.mark.parametrize("code", ["EUR", "XYZ_9", "households", "KM2"])
def test_a_unit_that_is_not_understood_is_never_persons(tmp_path: Path, code: str) -> None:
    text = TIDY.format(name="unit", cell=code)
    assert f"the unit '{code}' is not understood" in problem(read(tmp_path, text))
    told = read(tmp_path, text, units="thousands")
    assert values(told)["KAZ", "immigration"] == [14_000, 13_000]


@pytest.mark.parametrize(
    "code", ["PC", "PC_POP", "%", "per 1000", "PT: Percent", "на 1000 человек"]
)
def test_rates_in_a_unit_column_stop(tmp_path: Path, code: str) -> None:
    assert "is a rate or a share" in problem(read(tmp_path, TIDY.format(name="unit", cell=code)))


@pytest.mark.parametrize(
    ("name", "cell", "factor"),
    [
        ("UNIT_MULT", "3", 1000), ("UNIT_MULT", "6", 1e6), ("UNIT_MULT", "0", 1),
        ("SCALAR_FACTOR", "thousands", 1000), ("SCALAR_FACTOR", "units", 1),
        ("PowerCode Code", "3", 1000),
    ],
)  # fmt: skip
def test_powers_of_ten_scale(tmp_path: Path, name: str, cell: str, factor: float) -> None:
    reading = read(tmp_path, TIDY.format(name=name, cell=cell))
    assert values(reading)["KAZ", "immigration"] == [14 * factor, 13 * factor]


@pytest.mark.parametrize(
    "title",
    [
        "Immigration, 1000 persons", "Число прибывших, в 1000 человек", "Immigration (1000s)",
        "Immigration ('000)", "Immigration, 1,000 persons", "Immigration, in 1000",
    ],
)  # fmt: skip
def test_thousands_in_digits_in_titles(tmp_path: Path, title: str) -> None:
    reading = read(tmp_path, f"{title}\nCountry;2019;2020\nNew Zealand;131;59\n", measure=None)
    assert values(reading)["NZL", "immigration"] == [131_000, 59_000]
    assert reading.units == ("thousands, stated above the table",)


def test_numbers_in_titles_that_are_no_units() -> None:
    assert stated("Arrivals of 17 000") is None
    assert stated("Immigration, 1990-2000") is None
    assert stated("on 1,000 inhabitants per 1000") != 1000
    assert unit_of("persons per 1,000 inhabitants") == "rate"


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        ("sex", "F"), ("sex", "Males"), ("age", "Y15-64"), ("citizenship", "NAT"),
        ("partner", "RUS"), ("purpose", "work"), ("origin", "Russia"), ("пол", "женщины"),
        ("some heading", "some words"),
    ],
)  # fmt: skip
def test_a_part_is_never_the_whole(tmp_path: Path, name: str, cell: str) -> None:
    text = TIDY.format(name=name, cell=cell)
    message = problem(read(tmp_path, text))
    for part in (f"column {name}", f"'{cell}'", f"skip=['{name}']"):
        assert part in message, message
    wanted = read(tmp_path, text, skip=[name])
    assert values(wanted)["KAZ", "immigration"] == [14, 13]
    assert name in wanted.unused


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        ("sex", "T"), ("sex", "TOTAL"), ("sex", "_T"), ("sex", "Both sexes"), ("age", "All ages"),
        ("partner", "World"), ("пол", "оба пола"), ("variant", "Estimates"),
    ],
)  # fmt: skip
def test_known_totals_pass(tmp_path: Path, name: str, cell: str) -> None:
    reading = read(tmp_path, TIDY.format(name=name, cell=cell))
    assert values(reading)["KAZ", "immigration"] == [14, 13]


def test_a_dimension_that_divides_names_its_values(tmp_path: Path) -> None:
    text = TIDY.format(name="sex", cell="F") + "KZ,immigration,M,2011,15\n"
    assert "column sex divides the figures into F, M" in problem(read(tmp_path, text))


@pytest.mark.parametrize(
    "title",
    [
        "Population Division", "International Migrant Stock", "Births in the population",
        "United Nations Population Fund", "Foreign population", "Population growth",
    ],
)  # fmt: skip
def test_population_in_a_title_is_not_always_the_measure(tmp_path: Path, title: str) -> None:
    text = f"{title}\nCountry;2015;2020\nKazakhstan;3200100;3300200\n"
    assert "missing column 'measure'" in problem(read(tmp_path, text))


@pytest.mark.parametrize("title", ["Population", "Total population, persons", "Население"])
def test_population_where_it_is_the_measure(tmp_path: Path, title: str) -> None:
    text = f"{title}\nCountry;2019;2020\nKazakhstan;18500000;18700000\n"
    assert values(read(tmp_path, text))["KAZ", "population"] == [18_500_000, 18_700_000]


def test_a_count_several_times_the_bundled_one_is_said(tmp_path: Path) -> None:
    text = "Country;2015;2020\nKazakhstan;3200100;3300200\nGeorgia;77000;79000\n"
    reading = read(tmp_path, text, measure="population")
    assert any("the bundled figure" in note and "KAZ" in note for note in reading.notes)
    findings = check(reading.stated)
    assert "far from the bundled figures" in set(findings["check"])


LEVEL = [4310.0, 4290, 4275, 4301, 4288, 4296, 4402, 4279, 4250, 4352, 4280, 4262, 4451, 4240]


@pytest.mark.parametrize(
    ("at", "times"),
    [
        ((13,), 1000), ((13,), 84), ((13,), 0.001), ((12, 13), 1000), ((0,), 1000), ((0, 1), 0.01),
        ((6,), 10), ((13,), 10),
    ],
)  # fmt: skip
def test_slips_by_a_power_of_ten_are_found_at_either_end(
    tmp_path: Path, at: tuple[int, ...], times: float
) -> None:
    rows = [
        f"TKM,emigration,{2011 + i},{value * times if i in at else value:g}"
        for i, value in enumerate(LEVEL)
    ]
    reading = read(tmp_path, "\n".join(["location,measure,year,value", *rows]))
    slips = check(reading.stated).query("check == 'slip by a power of ten'")
    assert sorted(slips["year"]) == [2011 + i for i in at]
    for i in at:
        assert any(str(2011 + i) in note and "slip" in note for note in reading.notes)


def test_true_movements_are_no_slips(tmp_path: Path) -> None:
    for series in (LEVEL, [v * 1.25**i for i, v in enumerate(LEVEL)], [3, 90, 4, 60, 5, 200, 9]):
        rows = [f"TKM,emigration,{2001 + i},{value:.0f}" for i, value in enumerate(series)]
        reading = read(tmp_path, "\n".join(["location,measure,year,value", *rows]))
        assert "slip by a power of ten" not in set(check(reading.stated)["check"])
    for name in ("central-asia", "population", "kazakhstan-split"):
        found = set(check(fc.load(name))["check"])
        assert not found & {"slip by a power of ten", "far from the bundled figures"}


@pytest.mark.parametrize(
    "figures", [("0.00071", "-0.00045", "0.0012"), ("0.4", "0.35", "-0.21"), ("3.2", "-1.9", "4.4")]
)
def test_rates_in_tidy_form_stop(tmp_path: Path, figures: tuple[str, ...]) -> None:
    rows = [f"KZ-71,net_migration,{2015 + i},{value}" for i, value in enumerate(figures)]
    text = "\n".join(["location,measure,year,value", *rows])
    assert "rates" in problem(read(tmp_path, text))
    assert read(tmp_path, text, units="thousands").panel


BULK = (
    "freq,age,unit,sex,geo\\TIME_PERIOD\t2015 \t2016 \t2017 \n"
    "A,TOTAL,NR,{sex},EL\t64446 b\t116867 \t112247 p\n"
    "A,TOTAL,NR,{sex},UK\t631452 \t588993 e\t: \n"
    "A,TOTAL,NR,{sex},EU27_2020\t2396000 bep\t: c\t: \n"
)


def test_eurostats_bulk_files(tmp_path: Path) -> None:
    reading = read(tmp_path, BULK.format(sex="T"), "t.tsv", measure="immigration")
    table = reading.panel.to_frame()
    assert sorted(set(table["location"])) == ["GBR", "GRC"]
    assert table["flag"].tolist() == ["", "estimate", "", "break", "", "provisional"]
    assert reading.reported == {"group of countries": 1, "heading": 1}
    part = read(tmp_path, BULK.format(sex="M"), "t.tsv", measure="immigration")
    assert "all figures are of 'M'" in problem(part)
    forecast = read(tmp_path, BULK.format(sex="T").replace("112247 p", "112247 f"), "t.tsv",
                    measure="immigration")  # fmt: skip
    assert "the flag 'f', which marks no observation" in problem(forecast)


def test_eurostats_linear_files_keep_their_flags(tmp_path: Path) -> None:
    text = (
        "DATAFLOW,LAST UPDATE,freq,sex,unit,geo,TIME_PERIOD,OBS_VALUE,OBS_FLAG\n"
        "ESTAT:X(1.0),01/02/25,A,T,THS_PER,EL,2015,64,b\n"
        "ESTAT:X(1.0),01/02/25,A,T,THS_PER,EL,2016,117,ep\n"
    )
    table = read(tmp_path, text, measure="immigration").panel.to_frame()
    assert table["value"].tolist() == [64_000, 117_000]
    assert table["flag"].tolist() == ["break", "estimate;provisional"]


def test_world_bank_files(tmp_path: Path) -> None:
    text = (
        '"Data Source","World Development Indicators",\n\n"Last Updated Date","2024-01-01",\n\n'
        '"Country Name","Country Code","Indicator Name","Indicator Code","2019","2020",\n'
        '"Egypt, Arab Rep.","EGY","Net migration","SM.POP.NETM","-31000","-29500",\n'
        '"Arab World","ARB","Net migration","SM.POP.NETM","1000","2000",\n'
        '"Not classified","INX","Net migration","SM.POP.NETM","","",\n'
        '"Turkiye","TUR","Net migration","SM.POP.NETM","41000","-12000",\n'
    )
    reading = read(tmp_path, text)
    assert values(reading) == {
        ("EGY", "net_migration"): [-31000, -29500], ("TUR", "net_migration"): [41000, -12000],
    }  # fmt: skip
    assert any("groups of countries" in note and "Arab World" in note for note in reading.notes)
    other = read(tmp_path, text.replace("Net migration", "GDP"))
    assert "column Indicator Name: unknown measure 'GDP'" in str(other.problems[0])


def test_our_world_in_data(tmp_path: Path) -> None:
    text = (
        "Entity,Code,Year,Net migration\nWorld,OWID_WRL,2020,0\nAfrica (UN),,2020,-500\n"
        "Chile,CHL,2019,110000\nChile,CHL,2020,90500\nKosovo,OWID_KOS,2020,-8000\n"
    )
    reading = read(tmp_path, text)
    assert values(reading) == {
        ("CHL", "net_migration"): [110000, 90500], ("XKX", "net_migration"): [-8000],
    }  # fmt: skip
    assert reading.reported["group of countries"] == 2


def test_world_population_prospects(tmp_path: Path) -> None:
    head = [
        "Index", "Variant", "Region, subregion, country or area *", "Notes", "Location code",
        "ISO3 Alpha-code", "ISO2 Alpha-code", "SDMX code**", "Type", "Parent code", "Year",
        "Total Population, as of 1 January (thousands)",
        "Total Population, as of 1 July (thousands)", "Births (thousands)",
        "Net Number of Migrants (thousands)", "Net Migration Rate (per 1,000 population)",
    ]  # fmt: skip
    rows = [
        [1, "Estimates", "World", None, 900, None, None, 1, "World", 0, 2020, 7e6, 7.8e6, 1, 0, 0],
        [2, "Estimates", "Uzbekistan", None, 860, "UZB", "UZ", 860, "Country/Area", 5501, 2020,
         33000.5, 33300.25, 840.1, -21.155, -0.6],
        [3, "Estimates", "Uzbekistan", None, 860, "UZB", "UZ", 860, "Country/Area", 5501, 2021,
         33600.5, 33900.75, 905.3, -19.5, -0.6],
    ]  # fmt: skip
    path = tmp_path / "wpp.xlsx"
    pd.DataFrame([["United Nations"] + [None] * 15, head, *rows]).to_excel(
        path, index=False, header=False, sheet_name="Estimates"
    )
    reading = understand(path)
    (series,) = reading.panel
    assert series.key == ("user", "UZB", "net_migration")
    assert series.values.tolist() == [-21155, -19500]
    assert series.population.tolist() == [33_300_250, 33_900_750]
    assert "Births (thousands)" in reading.unused


def test_numeric_codes_of_the_un(tmp_path: Path) -> None:
    text = "location,measure,year,value\n398,emigration,2020,29000\n004,emigration,2020,5100\n"
    assert set(values(read(tmp_path, text))) == {("AFG", "emigration"), ("KAZ", "emigration")}


def test_statistics_canada(tmp_path: Path) -> None:
    text = (
        "REF_DATE,GEO,DGUID,Type of migrant,UOM,UOM_ID,SCALAR_FACTOR,SCALAR_ID,VECTOR,"
        "COORDINATE,VALUE,STATUS,SYMBOL,TERMINATED,DECIMALS\n"
        "2019,Canada,2016A0,Immigrants,Persons,249,units,0,v1,1.1,313601,,,,0\n"
        "2020,Canada,2016A0,Immigrants,Persons,249,units,0,v1,1.1,226314,,,,0\n"
    )
    assert values(read(tmp_path, text)) == {("CAN", "immigration"): [313601, 226314]}


def test_labelled_sdmx_of_the_oecd_and_of_australia(tmp_path: Path) -> None:
    oecd = (
        "STRUCTURE,STRUCTURE_ID,REF_AREA,Reference area,CITIZENSHIP,Citizenship,FREQ,"
        "Frequency of observation,MEASURE,Measure,SEX,Sex,UNIT_MEASURE,Unit of measure,"
        "TIME_PERIOD,Time period,OBS_VALUE,Observation value,OBS_STATUS,Observation status,"
        "UNIT_MULT,Unit multiplier\n"
        "DATAFLOW,OECD:X(1.0),CHL,Chile,W,World,A,Annual,B11,Number of immigrants,_T,Total,PS,"
        "Persons,2019,,254071,,A,Normal value,0,Units\n"
        "DATAFLOW,OECD:X(1.0),CHL,Chile,W,World,A,Annual,B11,Number of immigrants,_T,Total,PS,"
        "Persons,2020,,141000,,P,Provisional value,0,Units\n"
    )
    assert values(read(tmp_path, oecd)) == {("CHL", "immigration"): [254071, 141000]}
    twice = oecd.replace("254071,,", "254071,254071,")
    with pytest.raises(DataError, match="mean the same"):
        read(tmp_path, twice)
    abs_ = (
        "DATAFLOW,MEASURE: Measure,SEX: Sex,AGE: Age,REGION: Region,FREQ: Frequency,"
        "TIME_PERIOD: Time Period,OBS_VALUE,UNIT_MEASURE: Unit of Measure,OBS_STATUS: Status\n"
        "ABS:NOM(1.0),3: Net overseas migration,3: Persons,TOT: All ages,AUS: Australia,"
        "A: Annual,2019,241300,PSNS: Persons,\n"
        "ABS:NOM(1.0),3: Net overseas migration,3: Persons,TOT: All ages,AUS: Australia,"
        "A: Annual,2020,192700,PSNS: Persons,\n"
    )
    assert values(read(tmp_path, abs_)) == {("AUS", "net_migration"): [241300, 192700]}
    men = abs_.replace("3: Persons", "1: Males")
    assert "all figures are of '1: Males'" in problem(read(tmp_path, men))


def test_signs_that_steer_are_taken_out(tmp_path: Path) -> None:
    text = "location,measure,source,year,value\nKZ,immigration,of\x1b[31mfi\u202ece,2020,5\n"
    reading = read(tmp_path, text)
    assert reading.panel.keys == [("of[31mfice", "KAZ", "immigration")]
    assert any("taken out" in note for note in reading.notes)
    table = pd.DataFrame(
        {
            "location": "KAZ",
            "measure": "immigration",
            "year": [2020],
            "value": 5,
            "source": "a\x07b",
        }
    )
    assert fc.Panel.from_frame(table).keys == [("ab", "KAZ", "immigration")]


@pytest.mark.parametrize("size", ["1e-300", "0.2"])
def test_less_than_one_inhabitant_is_refused(tmp_path: Path, size: str) -> None:
    text = f"location,measure,year,value,population\nKZ,immigration,2020,5,{size}\n"
    assert "less than one person" in problem(read(tmp_path, text))


@pytest.mark.parametrize("digits", [400, 5000])
def test_numbers_of_hundreds_of_digits_are_no_traceback(tmp_path: Path, digits: int) -> None:
    long = "9" * digits
    for text in (
        f"location,measure,year,value\n{long},1,2,3\nKZ,immigration,2020,5\n",
        f"location,measure,year,value\nKZ,immigration,2020,{long}\n",
        f"location,measure,year,value\nKZ,immigration,{long},5\n",
    ):
        problem(read(tmp_path, text))
