"""What each command of `./lab` does, a file per command."""
