"""Messages a second, from the outbox row to the recorded outcome, beside what others would pick."""
