"""Pages and forms: the portal a parent sees."""
