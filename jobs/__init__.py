"""The Arq workers: what runs when the doorbell rings, and what runs by the clock."""
