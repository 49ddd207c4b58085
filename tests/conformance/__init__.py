"""Every mechanism through one generic suite: the contract in `ipclab.channel`, asserted between real processes."""
