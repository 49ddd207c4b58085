"""What a person chooses at the top of a dashboard."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import CustomVariable, QueryVariable
from grafana_foundation_sdk.models.dashboard import VariableOption, VariableRefresh, VariableSort

from dashboards import facts
from labctl.config import compose_file

SIZE_SERIES = "mechanism_size:ipc_message_size_bytes:count"
# Grafana fills it in; the option's text is the mechanism's name, its value what `facts` says of it.
CHOSEN = 'mechanism="${mechanism:text}"'
NAME = "${mechanism:text}"
FACTS = "${mechanism:raw}"


def message_size() -> QueryVariable:
    """The sizes that the pairs send now, or all of them."""
    everything = VariableOption(selected=True, text="All", value="$__all")
    return (
        QueryVariable("size")
        .label("Message size, bytes")
        .description("Only pairs whose messages have this size, while they have it")
        .query(f"label_values({SIZE_SERIES}, size)")
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.NUMERICAL_ASC)
        .include_all(True)
        .all_value(".*")
        .current(everything)
    )


def mechanism() -> CustomVariable:
    """One mechanism. A text panel knows nothing but variables, so the option brings the facts along as its value."""
    options = [
        VariableOption(selected=index == 0, text=name, value=facts.of(name))
        for index, name in enumerate(compose_file.declared())
    ]
    written = ",".join(f"{option.text} : {str(option.value).replace(',', chr(92) + ',')}" for option in options)
    return (
        CustomVariable("mechanism")
        .label("Mechanism")
        .description("All panels show this one")
        .values(written)
        .options(options)
        .current(options[0])
    )
