"""How long each kind of record is kept, what a court keeps longer, and removing the rest."""
