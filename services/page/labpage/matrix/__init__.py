"""The matrix: which mechanism reaches the responder from where, and the evidence of a cell."""
