"""`./lab speedup`: one job, split over worker containers."""
