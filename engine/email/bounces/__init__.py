"""Bounces: what a message that came back says of the address it was sent to."""
