"""A compiled Gibbs sampler of the gross flows, many times as fast as NUTS on the PyMC model.

Nothing else needs it: without it (``sampler={"compiled": False}``) nutpie samples the PyMC model
itself. Tests hold its densities against those of the PyMC model at random points.
"""

from pathlib import Path

from forecast.models.bayes.compiling import CompiledCode

#: Where its code lies compiled, and how it comes there.
CODE = CompiledCode(Path(__file__).parent, (f"{__name__}.gibbs",))
