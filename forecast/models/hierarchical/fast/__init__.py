"""A compiled posterior of the hierarchical model: some seven times as fast as the PyMC model's.

The density, its gradient and moves of draws, written out and compiled once for panels of every
shape. Nothing else needs it: without it (``sampler={"compiled": False}``) nutpie samples the PyMC
model itself. Tests hold density and gradient against those of the PyMC model on random panels.
"""

from pathlib import Path

from forecast.models.bayes.compiling import CompiledCode

#: Where its code lies compiled, and how it comes there.
MODULES = tuple(f"{__name__}.{module}" for module in ("kernel", "density", "moves"))
CODE = CompiledCode(Path(__file__).parent, MODULES)
