"""The state government's calendar: when its offices are closed, and what is due by when."""
