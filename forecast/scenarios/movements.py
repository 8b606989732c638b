"""From a stated shock to draws: how many move in which year, and how many move back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from forecast.scenarios.shock import DEPARTURES, AffectedCountry, Shock


@dataclass(frozen=True, eq=False)
class Movement:
    """What a shock does to one country, in each draw.

    Attributes
    ----------
    place : AffectedCountry
        The country, and who counts them.
    start : ndarray of int, shape (n_draws,)
        Year in which it starts.
    people : ndarray, shape (n_draws,)
        All who move, over all years together, before anybody moves back.
    arrivals, departures : ndarray, shape (n_draws, n_years)
        People who really come and go, persons per calendar year, zero or more; on a corridor,
        along it and back.
    shares : ndarray, shape (n_draws, n_counted)
        Share of them that each entry of ``place.counted`` shows.
    """

    place: AffectedCountry
    start: np.ndarray
    people: np.ndarray
    arrivals: np.ndarray
    departures: np.ndarray
    shares: np.ndarray


def movements(shock: Shock, years: np.ndarray, n_draws: int, seed: int) -> list[Movement]:
    """Draw what a shock does to each of its countries.

    Parameters
    ----------
    years : ndarray of int, shape (n_years,)
        Consecutive calendar years.
    seed : int
        Source of all randomness; nothing else changes the numbers.

    Returns
    -------
    list of Movement
        One per place. It is one event: the year of its start, how fast it fades and how
        large it is (as a quantile of each place's range) are the same in every place of a
        draw. The share counted is drawn for each place and entry by itself.
    """
    event, *places = np.random.SeedSequence(seed).spawn(1 + len(shock.places))
    generator = np.random.default_rng(event)
    start = generator.integers(shock.first, shock.last, size=n_draws, endpoint=True)
    size = generator.random(n_draws)
    profile = spread(
        years[None, :] - start[:, None], shock.fading.half_life.draw(generator, n_draws)
    )
    going_back = shock.returns and (
        shock.returns.share.draw(generator, n_draws),
        shock.returns.half_life.draw(generator, n_draws),
    )
    found = []
    for place, own in zip(shock.places, places):
        people = place.people.quantile(size)
        there = people[:, None] * profile
        again = moved_back(there, *going_back) if going_back else np.zeros_like(there)
        shares = np.random.default_rng(own).random((n_draws, len(place.counted)))
        counted = [entry.share.quantile(shares[:, i]) for i, entry in enumerate(place.counted)]
        into, out = (there, again) if place.direction != DEPARTURES else (again, there)
        found.append(Movement(place, start, people, into, out, np.stack(counted, axis=1)))
    return found


def spread(elapsed: np.ndarray, half_life: np.ndarray) -> np.ndarray:
    """Return which part of all moves in the years after the start.

    Parameters
    ----------
    elapsed : ndarray of int, shape (n_draws, n_years)
        Years since the start; negative before it.
    half_life : ndarray, shape (n_draws,)
        Years.

    Returns
    -------
    ndarray, shape (n_draws, n_years)
        Of year k, (1 - r) r^k with r = 2^(-1 / half-life): over all years it adds up to 1.
    """
    rate = 0.5 ** (1 / half_life)[:, None]
    return np.where(elapsed >= 0, (1 - rate) * rate ** np.maximum(elapsed, 0), 0.0)


def moved_back(moved: np.ndarray, share: np.ndarray, half_life: np.ndarray) -> np.ndarray:
    """Return how many move back in each year, from the year after they came.

    Parameters
    ----------
    moved : ndarray, shape (n_draws, n_years)
        Persons who move in each year.
    share : ndarray, shape (n_draws,)
        Share of them that moves back at some time.
    half_life : ndarray, shape (n_draws,)
        Years after which half of that share has moved back.
    """
    stays = 0.5 ** (1 / half_life)
    waiting = np.zeros(len(moved))
    back = np.zeros_like(moved)
    for year in range(1, moved.shape[1]):
        waiting = waiting + share * moved[:, year - 1]
        back[:, year] = (1 - stays) * waiting
        waiting = stays * waiting
    return back
