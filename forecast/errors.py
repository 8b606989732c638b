"""The exceptions of the package: one small family, each also a builtin."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class ForecastError(Exception):
    """Base class; the message states the problem, where, the value and the remedy."""


class DataError(ForecastError, ValueError):
    """Figures, a table or a file cannot be used as given."""


class UnknownNameError(ForecastError, LookupError):
    """A location, measure, model, prior or policy concept is not known."""


class TooShortError(DataError):
    """A series has too few observed years for the model asked for."""


class FitError(ForecastError, RuntimeError):
    """A model could not be fitted, or its diagnostics refuse the fit."""


def listed(names: Iterable[str]) -> str:
    """Return names in alphabetical order, the first twelve of many."""
    known = sorted(names)
    more = f" and {len(known) - 12} more" if len(known) > 12 else ""
    return ", ".join(known[:12]) + more


def unknown_name(kind: str, name: object, known: Iterable[str]) -> UnknownNameError:
    """Build the error for a name that is not known, with the nearest known ones.

    Parameters
    ----------
    kind : str
        What was looked up, in the reader's words (``"location"``, ``"model"``).
    name : object
        The name that was given.
    known : iterable of str
        The names that would have been accepted.

    Returns
    -------
    UnknownNameError
        Ready to be raised.
    """
    names = sorted(known)
    near = difflib.get_close_matches(str(name), names, n=3, cutoff=0.5)
    hint = f"Did you mean: {', '.join(near)}" if near else f"Known are: {listed(names)}"
    return UnknownNameError(f"unknown {kind} {name!r}. {hint}.")
