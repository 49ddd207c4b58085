"""What every container has: settings, life cycle, and values that change while it runs."""
