"""The last bench: a row for each mechanism and size, Python beside C, and the time by size.

Hand-over and touched are two panels, never one: see docs/BENCH.md. The figures are those of messages that follow each
other on one CPU, both sides blocking. Other choices of `./lab bench` are in its own files.
"""

from __future__ import annotations

from collections.abc import Sequence

from grafana_foundation_sdk.builders import barchart, common, prometheus, table
from grafana_foundation_sdk.models.common import LegendDisplayMode, LegendPlacement, ScaleDistribution
from grafana_foundation_sdk.models.dashboard import DataTransformerConfig, DynamicConfigValue
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from dashboards.panels import REF_IDS, Place
from dashboards.tables import Column, coloured_names, one_row_each
from labctl.terminal import colours

_HOW = 'shape="one-way",wait="block",cpus="one"'
_KEYS = {"mechanism": "Mechanism", "size": "Bytes", "copies": "Copies"}
_AT = "ipc_bench_timestamp_seconds"
_NOT_YET = "no bench yet: ./lab bench"


def rows(touched: bool, names: Sequence[str], place: Place) -> table.Panel:
    """A table of one of the two rows of the bench."""
    by = ", ".join(_KEYS)
    python = _where(touched, 'implementation!="c"')
    in_c = _where(touched, 'implementation="c"')

    def of(metric: str, where: str) -> str:
        return f"min by ({by}) ({metric}{{{where}}})"

    time = of("ipc_bench_message_seconds", python)
    c_time = of("ipc_bench_message_seconds", in_c)
    switches = f"min by ({by}) (sum without (kind) (ipc_bench_context_switches{{{python}}}))"
    panel = one_row_each(
        _KEYS,
        f"How fast was each mechanism in the last bench? ({_named(touched)})",
        f"{_explained(touched)} Messages follow each other on one CPU, both sides block. p99: of the means "
        "of groups of messages. C is the same in C. Noisy: the runs differ by more than 30 %. ./lab bench measures "
        "again, and pauses the load meanwhile.",
        place,
        [
            Column("Time", time, width=80, unit="s", decimals=2),
            Column("p99", of("ipc_bench_message_percentile_seconds", f'percentile="99",{python}'), 80, "s", 2),
            Column("C", c_time, width=80, unit="s", decimals=2),
            Column("Python/C", f"{time} / {c_time}", width=80, decimals=1),
            Column("Rate", of("ipc_bench_bytes_per_second", python), width=90, unit="binBps"),
            Column("CPU", of("ipc_bench_cpu_seconds", python), width=80, unit="s", decimals=2),
            Column("Switches", switches, width=80, decimals=2),
            Column("Noisy", of("ipc_bench_noisy", python), width=70, words={0: "", 1: "noisy"}),
            Column("Measured", f"0 * {time} + on () group_left () 1e3 * max({_AT})", width=120, unit="dateTimeFromNow"),
        ],
        {"Bytes": 80, "Copies": 65},
    )
    return panel.no_value(_NOT_YET).override_by_name("Mechanism", coloured_names(names))


def by_size(touched: bool, names: Sequence[str], place: Place) -> barchart.Panel:
    """The time per message by size, a bar for each mechanism; shared memory by its faster way."""
    python = _where(touched, 'implementation="python"')
    queries = {
        # The size as a number, to put the rows in its order: a label is text.
        "Number": f"max by (size) (ipc_bench_bytes_per_second{{{python}}} / ipc_bench_messages_per_second{{{python}}})",
        **{name: f'min by (size) (ipc_bench_message_seconds{{mechanism="{name}",{python}}})' for name in names},
    }
    panel = (
        barchart.Panel()
        .title(f"How does the time grow with the size? ({_named(touched)})")
        .description(
            f"{_explained(touched)} Time per message of the last bench, one way, on one CPU. Of shared memory the "
            "faster of its two ways, mostly the one without copies. In a hand-over that way rises little: the ring "
            "holds fewer large messages, of 1 MiB a single one, so both sides take turns."
        )
        .span(place.width)
        .height(place.height)
        .unit("s")
        .no_value(_NOT_YET)
        .x_field("Bytes")
        .scale_distribution(common.ScaleDistributionConfig().type(ScaleDistribution.LOG).log(10))
        .legend(
            common.VizLegendOptions()
            .display_mode(LegendDisplayMode.LIST)
            .placement(LegendPlacement.BOTTOM)
            .show_legend(True)
        )
    )
    columns = {"size": "Bytes"}
    for ref_id, (name, expr) in zip(REF_IDS, queries.items(), strict=False):
        panel.with_target(
            prometheus.Dataquery().ref_id(ref_id).expr(expr).instant().format(PromQueryFormat.TABLE).legend_format(name)
        )
        columns[f"Value #{ref_id}"] = name
        if name in names:
            colour = {"mode": "fixed", "fixedColor": colours.of_mechanism(name)}
            panel.override_by_name(name, [DynamicConfigValue("color", colour)])
    steps = [
        ("merge", {}),
        ("sortBy", {"sort": [{"field": "Value #A"}]}),
        (
            "organize",
            {
                "excludeByName": {"Time": True, "Value #A": True},
                "indexByName": {name: index for index, name in enumerate(columns)},
                "renameByName": columns,
            },
        ),
    ]
    for step, options in steps:
        panel.with_transformation(DataTransformerConfig(id_val=step, options=options))
    return panel


def _where(touched: bool, implementation: str) -> str:
    return f'{implementation},{_HOW},touched="{"yes" if touched else "no"}"'


def _named(touched: bool) -> str:
    return "touched" if touched else "hand-over"


def _explained(touched: bool) -> str:
    if touched:
        return "Touched: the producer writes every byte and the consumer reads every byte."
    return "Hand-over: nobody reads the payload, so a rate of bytes is one of bytes that neither process touched."
