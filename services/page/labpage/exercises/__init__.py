"""The exercises on the page: their texts, and the progress in Prometheus. `./lab exercise` checks."""
