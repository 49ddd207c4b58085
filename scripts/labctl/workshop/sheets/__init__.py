"""A sheet for each mechanism: a picture, its facts, when to take it and when not, all from its traits."""
