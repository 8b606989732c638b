"""A compiled posterior of the hierarchical model: some seven times as fast as the PyMC model's.

The density, its gradient and moves of draws, written out and compiled once for panels of every
shape. Nothing else needs it: without it (``sampler={"compiled": False}``) nutpie samples the PyMC
model itself. Tests hold density and gradient against those of the PyMC model on random panels.
"""

from pathlib import Path

from forecast.models.bayes.compiling import CompiledCode

#: Where its code lies compiled, and how it comes there: a fit that calls every function.
CODE = CompiledCode(
    Path(__file__).parent,
    "import forecast as fc; panel = fc.load('central-asia').select(source='un-wpp'); "
    "fc.forecast(panel, model='hierarchical', horizons=(2030,), draws=100, cache=False)",
)
