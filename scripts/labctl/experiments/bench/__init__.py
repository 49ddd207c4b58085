"""`./lab bench`: every mechanism alone, round after round, and what came of it."""
