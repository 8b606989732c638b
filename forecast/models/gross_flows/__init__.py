"""Arrivals and departures as one hierarchical model: data, sampler, futures."""
