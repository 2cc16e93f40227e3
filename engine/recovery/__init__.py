"""After a restore: what was sent since the backup is found again before anything more is sent."""
