"""Impact of an event: outcomes against a forecast from before it."""
