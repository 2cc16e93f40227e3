"""Customer Connect: the notification and communications engine and the portal that drives it."""
