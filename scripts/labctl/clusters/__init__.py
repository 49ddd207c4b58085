"""Several machines that one scheduler fills."""
