"""Who the parents are: participants, how to reach them, their cases, payments and appointments."""
