"""Time-series models, fitted to each series by itself or to all series of one scale."""
