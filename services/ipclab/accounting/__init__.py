"""The header on every message, and the ledgers that account for every sequence number."""
