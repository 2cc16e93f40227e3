"""What the case system asks of us and is told: the services and tables behind the machine API."""
