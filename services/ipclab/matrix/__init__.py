"""The reachability matrix: the responder, the probes, and what a placement predicts."""
