"""The decimal mark where figures leave it open: by the unit, else by figures that are known."""

from __future__ import annotations

from collections.abc import Sequence

from forecast.data.tables import numbers, scale
from forecast.data.tables.settle import Settling
from forecast.errors import DataError


class Marks(Settling):
    """A table whose decimal mark is being settled."""

    def _unclear(
        self, found: numbers.Convention, codes: Sequence[str], measures: Sequence[str]
    ) -> tuple[str, str]:
        """Decide a mark that may group digits or stand before decimals, by the unit.

        Returns the decimal mark and how it is known; both empty if nothing decides.
        """
        mark = "," if "," in found.unclear else "."
        other = "." if mark == "," else ","
        known = {one.unit if one.unit is not None else self._table_unit() for one in self.seen}
        whole = known == {1.0} or (known == {None} and self._contract())
        if whole and mark == ",":
            self.out.notes[
                f"the comma of {found.unclear!r} groups digits, as the figures are persons"
            ] = None
            return other, "the figures are persons"
        # Persons come in decimals only where somebody computed them, and then seldom with three
        # each; a spreadsheet that groups digits by points writes every figure so.
        grouped = whole and self.layout.style != "SDMX-CSV" and self._all_could_group()
        if mark == "." and self._contract() and not grouped:
            return mark, "as the columns of the package mean it"
        if found.decimal == mark and not whole:
            self.out.notes[
                f"the comma of {found.unclear!r} stands before decimals, as cells are divided by "
                "semicolons"
            ] = None
            return mark, found.reason
        agreeing = [sign for sign in (mark, other) if self._agrees(sign, codes, measures)]
        if len(agreeing) == 1:
            does = "stands before decimals" if agreeing[0] == mark else "groups digits"
            self.out.notes[
                f"the {'comma' if mark == ',' else 'point'} of {found.unclear!r} {does}: so read, "
                "the figures agree with the bundled ones"
            ] = None
            return agreeing[0], "so read, the figures agree with the bundled ones"
        self._problem(
            0,
            DataError(
                f"{found.unclear!r} may be {found.unclear.replace(mark, '')} or "
                f"{found.unclear.replace(mark, '.')}: nothing says whether the "
                f"{'comma' if mark == ',' else 'point'} groups digits or stands before decimals. "
                "Say decimal='.' or decimal=','."
            ),
        )
        return "", ""

    def _all_could_group(self) -> bool:
        """Whether each figure is written with one mark that may group its digits."""
        figures = [one.cell for one in self.seen if isinstance(one.cell, str)]
        return all(numbers.could_group(cell) for cell in figures if numbers.written(cell))

    def _agrees(self, decimal: str, codes: Sequence[str], measures: Sequence[str]) -> bool:
        """Whether figures read with a decimal mark are those known of the same years."""
        known = []
        for one, code, measure in zip(self.seen, codes, measures):
            figure = numbers.figure(one.cell, decimal)
            unit = one.unit if one.unit is not None else self._table_unit()
            if figure.state == "number":
                known.append((code, measure, one.year, figure.value * (unit or 1.0)))
        return scale.evidence(known)[0] == 1.0
