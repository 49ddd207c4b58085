"""Runs that measure with containers of their own, made for the run and removed after it."""
