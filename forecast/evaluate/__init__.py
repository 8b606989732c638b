"""Backtests: how good forecasts have been, and where they cannot be trusted."""
