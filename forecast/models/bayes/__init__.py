"""What the Bayesian models share: drawing from a posterior, and the gate that draws pass."""
