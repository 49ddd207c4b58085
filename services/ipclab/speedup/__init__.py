"""Why processes cooperate at all: one CPU-bound job, done by one process and then by several.

A *coordinator* cuts the job into chunks and sends each as a task to *workers*, which send back what they counted.
It does the whole job alone before each time it shares it, in the same process, so that every comparison is between
neighbours in time. The mechanism between them is one of `ipclab.mechanisms`, used through its contract alone.
"""
