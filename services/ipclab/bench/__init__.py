"""The endpoints of `./lab bench`: one run of one channel, in two processes that the harness starts and compares."""
