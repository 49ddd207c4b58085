"""One colour for each mechanism, the same on every panel.

Most of the first seven are the palette of Okabe and Ito (2008), made to be told apart with every common kind of colour
blindness; its blue is too dark to read on a dark screen. The others were chosen to be as far from them, and from each
other, as those are (tests/unit/dashboards/test_colours.py measures it). Nothing is told by colour alone: every line
has its name in the legend, every coloured cell its text.
"""

from __future__ import annotations

from ipclab import mechanisms

_BY_MECHANISM = {
    "sysv_shm": "#E69F00",
    "sysv_mq": "#CC79A7",
    "fifo": "#56B4E9",
    "tcp": "#009E73",
    "posix_shm": "#D55E00",
    "anonymous_pipe": "#297EFF",
    "mmap_file": "#F0E442",
    "plain_file": "#DBDBFF",
    "posix_mq": "#E500FA",
    "unix_stream": "#A3DCC5",
    "udp": "#1AFFA3",
}
# For mechanisms without a line above, in the order of their names. Each is as far from all of them as they are.
SPARE = ("#CCAA55", "#FF0066")

ALARM = "#D55E00"
CALM = "#6E9FFF"
# Apart for every eye: in the table of who reaches whom the text says the same.
REACHED = "#009E73"
REFUSED = "#D55E00"
NOTHING = "#555555"
NOBODYS = "#9A9A9A"
# Marks on the time axis; each says in words what it is.
MARKS = {
    "noted": "#FFFFFF",
    "opened": "#009E73",
    "closed": "#D55E00",
    "load": "#56B4E9",
    "switch": "#F0E442",
    "place": "#CC79A7",
}


def of_mechanism(name: str) -> str:
    """The colour of a mechanism; one that has no line here gets a spare one."""
    if name in _BY_MECHANISM:
        return _BY_MECHANISM[name]
    without = [other for other in mechanisms.names() if other not in _BY_MECHANISM]
    return SPARE[without.index(name) % len(SPARE) if name in without else 0]
