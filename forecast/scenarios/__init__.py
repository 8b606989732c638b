"""What if: shock scenarios, conditional forecasts and targets, kept apart from forecasts."""
