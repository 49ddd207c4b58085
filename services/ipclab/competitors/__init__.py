"""What people would take instead of a mechanism of the lab, as endpoints of a bench: one module per implementation."""
