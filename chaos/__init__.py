"""Survival: the demonstration's work while things break around it. `python -m chaos --help`."""
