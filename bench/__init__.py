"""Measurements: all of them by `python -m bench`, one by `python -m bench.send`. What counts are
ratios within one run."""
