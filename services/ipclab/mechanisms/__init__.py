"""One file per mechanism; the file's name is the mechanism's name everywhere (see `ipclab.registry`)."""
