"""`./lab swarm`: the pairs across the nodes of a Docker Swarm."""
