"""Measurements, run as modules (`python -m bench.forgot_pin`): figures as ratios within one run."""
