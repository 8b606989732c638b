"""Hindcasts: models at origins, on what was known then, held against what came."""
