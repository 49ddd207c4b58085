"""Everything that `./lab up` would fetch, in one file, for a room without network."""
