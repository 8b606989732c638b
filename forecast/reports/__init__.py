"""The horizon report: charts, sentences and pages made from a Forecast."""
