"""The soak: random faults by seed over all pairs under load, an audit of every message, and a watch for leaks."""
