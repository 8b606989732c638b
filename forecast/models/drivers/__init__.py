"""Drivers of migration: covariates beside a series, and their own futures."""
