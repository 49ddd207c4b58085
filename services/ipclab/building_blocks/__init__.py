"""What mechanisms are built from: framing, streams, rings, shared words, sockets, kernel objects."""
