"""Every metric, the latency histogram, and the page that Prometheus scrapes."""
