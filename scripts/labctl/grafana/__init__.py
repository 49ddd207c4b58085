"""Grafana: its API, its dashboards, the annotations."""
