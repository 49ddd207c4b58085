"""The exercises: their folders, what a student did, and the judge of what the lab measured."""
