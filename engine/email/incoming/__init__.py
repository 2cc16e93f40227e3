"""What comes back by email: taken in, traced to its delivery, and recorded as an outcome."""
