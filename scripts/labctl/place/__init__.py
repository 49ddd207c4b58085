"""`./lab place`: the consumer of a pair, moved apart from its producer."""
