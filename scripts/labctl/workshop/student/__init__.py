"""A student's program as one end of a channel, in a container of its own, judged by the ledger of the other end."""
