"""What comes back from the print vendor, and what we say to it after a batch has left."""
