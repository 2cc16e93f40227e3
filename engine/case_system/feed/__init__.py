"""The ordered feed: what became of deliveries and promises, numbered once for everybody."""
