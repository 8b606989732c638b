"""Models of months, quarters and half-years: seasonal, each series by itself or pooled."""
