"""`./lab matrix`: which mechanism reaches which placement, and the evidence."""
