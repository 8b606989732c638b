"""Parquet to cells; how much it unpacks to is checked before."""

from __future__ import annotations

import io

from forecast.data.tables.grid import MOST_CELLS, MOST_ROWS, Grid, Line
from forecast.errors import DataError

_LARGEST = 128 * 1024 * 1024


def read(content: bytes) -> Grid:
    """Return the cells of a Parquet file; row 0 holds the names of the columns.

    Raises
    ------
    DataError
        If it is damaged, nested, or unpacks to more than a table can need.
    """
    import pandas as pd
    from pyarrow import ArrowException, parquet

    try:
        file = parquet.ParquetFile(io.BytesIO(content))
        about = file.metadata
        size = sum(about.row_group(at).total_byte_size for at in range(about.num_row_groups))
        if (
            about.num_rows > MOST_ROWS
            or about.num_rows * about.num_columns > MOST_CELLS
            or size > _LARGEST
        ):
            raise DataError(
                f"the file has {about.num_rows:,} rows, {about.num_columns:,} columns and unpacks "
                f"to {size / 1024**2:,.0f} MB; more than a table of yearly series needs. "
                "Keep the series that are wanted, and leave out the rest."
            )
        texts = [
            about.schema.column(at).path
            for at in range(about.num_columns)
            if about.schema.column(at).physical_type == "BYTE_ARRAY"
        ]
        # A long text repeated in every row stays one text.
        table = parquet.read_table(io.BytesIO(content), read_dictionary=texts).to_pandas()
    except DataError:
        raise
    except (ArrowException, OSError, ValueError, KeyError, TypeError, OverflowError) as error:
        said = (str(error).splitlines() or [""])[0][:120]
        raise DataError(f"this is not a readable Parquet file ({said}). Save it again.") from None
    columns = [table[name].astype(object) for name in table.columns]
    lines = [Line(0, tuple(str(name).strip() for name in table.columns))]
    for number, row in enumerate(zip(*columns), start=1):
        lines.append(
            Line(number, tuple(None if _absent(cell, pd) else _plain(cell) for cell in row))
        )
    return Grid("Parquet", tuple(lines))


def _absent(cell: object, pd: object) -> bool:
    return cell is None or (not hasattr(cell, "__len__") and bool(pd.isna(cell)))  # type: ignore[attr-defined]


def _plain(cell: object) -> object:
    """Return a Python object instead of one of NumPy or pandas."""
    return cell.item() if hasattr(cell, "item") and not hasattr(cell, "__len__") else cell
