"""What is known of each vintage of World Population Prospects: dates, spans, codes of areas."""

from __future__ import annotations

import pandas as pd

from forecast.errors import UnknownNameError

#: The name of the source in every panel made from World Population Prospects.
SOURCE = "un-wpp"
#: Day on which each vintage came out. 2008, 2010 and 2012 are known to the month or by
#: report; for these the last day of the month is taken, so that no fold sees them early.
RELEASED = {
    2008: "2009-03-31",
    2010: "2011-05-31",
    2012: "2013-06-13",
    2015: "2015-07-29",
    2017: "2017-06-21",
    2019: "2019-06-17",
    2022: "2022-07-11",
    2024: "2024-07-11",
}
ANNUAL = (2022, 2024)
#: Last estimated calendar year of the annual vintages, first year of the last estimated
#: period of the others; what comes later is a projection.
LAST_ESTIMATE = {
    2008: 2005,
    2010: 2005,
    2012: 2005,
    2015: 2010,
    2017: 2010,
    2019: 2015,
    2022: 2021,
    2024: 2023,
}
#: The files are in thousands.
PEOPLE = 1000.0
#: UN areas whose code is not an ISO 3166-1 numeric code in force.
_AREAS = {412: "XKX", 530: "ANT", 736: "SDN+SSD", 830: "GGY+JEY"}


def codes(numeric: pd.Series, alpha: pd.Series) -> list[str]:
    """Return location codes; UN areas without one in force get it from a list of four.

    Parameters
    ----------
    numeric : Series of int
        The UN's location codes.
    alpha : Series of str
        ISO 3166-1 alpha-3 codes; may be empty for the areas of the list.

    Raises
    ------
    UnknownNameError
        If an area outside the list has no alpha-3 code.
    """
    table = pd.DataFrame({"number": numeric.to_numpy(dtype=int), "alpha": alpha.to_numpy()})
    known: dict[int, str] = {}
    for number, code in table.drop_duplicates("number").itertuples(index=False):
        if number in _AREAS:
            known[number] = _AREAS[number]
        elif isinstance(code, str) and code:
            known[number] = code
        else:
            raise UnknownNameError(f"the UN area {number} has no ISO 3166-1 alpha-3 code.")
    return table["number"].map(known).tolist()


def alpha_codes(numeric: pd.Series) -> pd.Series:
    """Return the alpha-3 codes of the UN's numeric ones; None for groups of countries.

    Files before 2022 have no alpha-3 codes: the UN's number of a country or area is its
    ISO 3166-1 numeric code, and whatever ISO does not list is a region or a group.
    """
    import pycountry

    known: dict[int, str | None] = {}
    for number in numeric.unique():
        country = pycountry.countries.get(numeric=f"{int(number):03d}")
        known[int(number)] = _AREAS.get(int(number)) or (country.alpha_3 if country else None)
    return numeric.map(known)
