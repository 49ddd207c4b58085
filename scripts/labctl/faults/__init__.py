"""`./lab fault`: faults by name, each with a strength, an end, a mark on the graphs, and a prediction."""
