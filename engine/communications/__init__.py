"""Obligations and their deliveries: the catalogue, the outbox, the state table, dispatch."""
