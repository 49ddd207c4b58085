"""The lab's ends in "write it yourself" exercises: what a student's program talks to, and what counts its messages.

A student's program is one end of a channel. The other end is here, with the same ledger as a pair of the lab
(`ipclab.accounting`), so lost, duplicated and corrupt mean the same. See docs/decisions/0054-student-containers.md.
"""

LEDGER, DEATHS, PAUSED = "consumer.ledger", "deaths", "paused"  # files of the state directory
DEATHS_VARIABLE = "LAB_CHILD_DIES_AT"  # counts of messages, with commas: see `ipclab.student.child`
