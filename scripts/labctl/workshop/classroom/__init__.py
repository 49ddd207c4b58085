"""Many labs on one engine, one for each student: what fits, who gets what, the cards, and one table of all."""
