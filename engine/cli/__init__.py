"""The `connect` command: for operators, for the demonstration, and for starting processes."""
