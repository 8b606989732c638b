"""Breaks found, not only declared: level breaks and outliers proposed with evidence."""

from __future__ import annotations

from forecast.data.breaks.screen import screen

__all__ = ["screen"]
