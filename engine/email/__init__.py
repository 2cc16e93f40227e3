"""Email: messages, their hand-over, and what comes of it."""
