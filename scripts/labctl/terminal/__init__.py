"""What the command line prints and how it waits: progress, tables, errors, signals."""
