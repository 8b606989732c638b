"""Forecasts in the forms that other programs read: hubverse hubs, bayesPop trajectories."""
