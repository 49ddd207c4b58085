"""The commands of `python -m ipclab`, a module each: a container imports its own role and no other."""
