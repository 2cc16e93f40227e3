"""Webhooks: the feed, posted to whoever asked for it."""
