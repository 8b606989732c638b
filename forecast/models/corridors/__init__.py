"""Corridors: flows from each origin to each destination, counted or estimated."""
