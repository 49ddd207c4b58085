"""What the lab costs. Benchmarks print; no test depends on a timing."""
