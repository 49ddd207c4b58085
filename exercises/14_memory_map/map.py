"""Write a word into a file through a memory map: mmap(2). Usage: map.py FILE WORD"""

import mmap
import os
import sys

file, word = sys.argv[1], sys.argv[2].encode()
descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o660)
os.ftruncate(descriptor, mmap.PAGESIZE)
memory = mmap.mmap(descriptor, mmap.PAGESIZE, flags=mmap.MAP_PRIVATE)
memory[: len(word)] = word
print("in my memory:", bytes(memory[: len(word)]).decode())
print("in the file: ", os.pread(descriptor, len(word), 0).rstrip(b"\0").decode() or "nothing")
