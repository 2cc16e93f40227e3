"""PINs, sealed secrets, throttling, and the tags that stand for what must not be shown."""
