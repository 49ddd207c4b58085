"""What Prometheus and the ledgers measured, as values."""
