"""Random seeds by model and series."""

from __future__ import annotations

import hashlib

import numpy as np

from forecast.series_key import SeriesKey


def series_seed(seed: int, model: str, key: SeriesKey) -> np.random.SeedSequence:
    """Return a seed that belongs to one model and series, whatever else is in the panel.

    Parameters
    ----------
    seed : int
        Of the whole fit.
    model : str
        Name of the model, or of what is drawn.
    key : (source, location, measure)
        Of the series; empty texts for what belongs to none.

    Returns
    -------
    numpy.random.SeedSequence
    """
    digest = hashlib.sha256("\n".join((model, *key)).encode()).digest()
    words = np.frombuffer(digest[:16], dtype="<u4").tolist()
    return np.random.SeedSequence([seed, *words])
