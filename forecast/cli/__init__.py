"""Verbs of the shell that need more room than `forecast.cli.main` gives."""
