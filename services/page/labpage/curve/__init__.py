"""The curve: the time of a message by its size, of the last `./lab bench`."""
