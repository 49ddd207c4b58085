"""The dashboards of `dashboards/json`, drawn without Grafana: read, asked of Prometheus, and written for a browser.

One definition has two writers: Grafana draws the same files. What this package does not know how to draw, it refuses.
"""
