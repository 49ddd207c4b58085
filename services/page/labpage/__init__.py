"""The page in the browser: what the lab is doing now, read from Prometheus and from nothing else."""
