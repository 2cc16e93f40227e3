"""Measurements, run as modules: `python -m bench.<name>`."""
