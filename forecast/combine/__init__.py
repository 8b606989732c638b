"""Combining forecasts: pooling, weights from past scores, calibration, dependence, explanation."""
