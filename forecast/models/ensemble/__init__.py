"""The ensemble: members, their past forecasts, weights, widths and joint draws."""
