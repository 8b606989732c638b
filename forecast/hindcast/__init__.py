"""Hindcasts: forecasts from past origins, on the data of that day, against outcomes."""
