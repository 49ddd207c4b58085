"""The picture: containers inside what they share, and the messages between them, from Prometheus' numbers."""
