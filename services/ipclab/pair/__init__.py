"""The two roles of a pair, producer and consumer, and what runs beside them."""
