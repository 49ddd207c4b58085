"""The building blocks of mechanisms: framing, streams, rings, shared words, sockets, kernel objects."""
