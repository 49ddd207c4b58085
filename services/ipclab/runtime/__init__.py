"""The common part of all containers: settings, life cycle, and values that change while a container runs."""
