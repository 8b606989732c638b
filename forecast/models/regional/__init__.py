"""Regions of a country: data, shared dynamics, response to the country's net, internal moves."""
