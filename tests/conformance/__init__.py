"""Every mechanism through one generic suite: the contract in `ipclab.contract.channel`, asserted between real
processes."""
