"""The whole system on one machine: embedded servers, supervised processes, the demonstration."""
