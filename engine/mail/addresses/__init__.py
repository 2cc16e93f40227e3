"""Checks mail addresses: what would print, and why a letter to one is held instead.

`fields` holds an address as a value, `checking` checks one, `answers` does so for JSON lines.
"""
