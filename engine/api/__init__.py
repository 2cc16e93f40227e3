"""The machine API: the door for the state's case-management system, under /api/v1."""
