"""`./lab report`: one HTML file of what was measured."""
