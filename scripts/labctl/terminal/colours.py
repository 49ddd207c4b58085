"""One colour for each mechanism, the same on every panel, plot and line.

Every colour stands out against Grafana's dark and light background, and the eleven are apart for every common kind of
colour blindness: tests/unit/labctl/terminal/test_colours.py measures both. Colour is never the only sign: every line
has its name in the legend, every coloured cell its text.
"""

from __future__ import annotations

from ipclab import mechanisms

_BY_MECHANISM = {
    "sysv_shm": "#DB7179",
    "sysv_mq": "#FF0F9A",
    "fifo": "#A384E5",
    "tcp": "#43A1B1",
    "posix_shm": "#D90013",
    "anonymous_pipe": "#6C74FF",
    "mmap_file": "#B88C50",
    "plain_file": "#775F74",
    "posix_mq": "#9200FF",
    "unix_stream": "#526F47",
    "udp": "#047C17",
}
# For mechanisms without a line above, in the order of their names. Each is as far from all of them as they are.
SPARE = ("#B80AA8", "#AC05CC")

ALARM = "#D55E00"
CALM = "#4C7FE8"
# Apart for every eye: in the table of who reaches whom the text says the same.
REACHED = "#009E73"
REFUSED = "#D55E00"
NOTHING = "#555555"
NOBODYS = "#8C8C8C"
# Marks on the time axis; each says in words what it is.
MARKS = {
    "noted": "#8C8C8C",
    "opened": "#009E73",
    "closed": "#D55E00",
    "load": "#2A8FD0",
    "switch": "#968200",
    "place": "#C46F9E",
}


def of_mechanism(name: str) -> str:
    """The colour of a mechanism; one that has no line here gets a spare one."""
    if name in _BY_MECHANISM:
        return _BY_MECHANISM[name]
    without = [other for other in mechanisms.names() if other not in _BY_MECHANISM]
    return SPARE[without.index(name) % len(SPARE) if name in without else 0]
