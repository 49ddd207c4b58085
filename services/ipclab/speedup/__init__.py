"""The speedup of one CPU-bound job that several processes share.

A *coordinator* splits the job into chunks and sends each chunk as a task to a *worker*, which sends the result back.
Before each shared round the coordinator does the whole job alone, in the same process: each comparison is between
neighbours in time. Tasks and results go over one of `ipclab.mechanisms`, through its contract alone.
"""
