"""The contract of a fault: what it is, where it makes sense, how it begins and is put back, what it predicts."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar

from docker.errors import APIError, NotFound
from docker.models.containers import Container as DockerContainer

from ipclab.contract.channel import Kind, OnFull, Persistence, Sharing, Traits
from labctl.config import compose_file
from labctl.faults.prediction import Prediction
from labctl.lab.containers import Container, NotThere, Ran, of_service, read_in, run_in
from labctl.lab.lab import Lab
from labctl.terminal.errors import LabError


class Scope(StrEnum):
    """What a fault is done to."""

    PAIR = "pair"
    LAB = "lab"  # what all pairs in the holder's namespace share


@dataclass(frozen=True)
class Strength:
    """How strong a fault is: a whole number."""

    default: int
    lowest: int
    highest: int
    unit: str


@dataclass(frozen=True)
class Target:
    """A pair, or the lab, under one fault. `act` runs in the container that is the fault."""

    lab: Lab
    mechanism: str
    strength: int
    before: Mapping[str, Any]
    container: DockerContainer | None = None

    @property
    def consumer(self) -> Container:
        """Of the pair, in any state."""
        return self._of(compose_file.service_of(self.mechanism, "consumer"))

    @property
    def producer(self) -> Container:
        """Of the pair, in any state."""
        return self._of(compose_file.service_of(self.mechanism, "producer"))

    @property
    def holder(self) -> Container:
        """Of the IPC namespace."""
        return self._of("holder")

    @property
    def address(self) -> list[str]:
        """The options that say where the pair meets, as its consumer has them."""
        words = [str(word) for word in self.consumer.docker.attrs["Config"]["Cmd"]]
        return [w for i, w in enumerate(words) if {w, words[i - 1]} & {"--key", "--path", "--host", "--port"}]

    def act(self, action: str, *, number: int = 0, text: str = "", user: str = "") -> None:
        """One action of `ipclab.pair.harm` in the fault's own container.

        :raises LabError: it failed
        """
        self.act_in(self._own, action, number=number, text=text, user=user)

    def act_in(
        self, container: DockerContainer, action: str, *, number: int = 0, text: str = "", user: str = ""
    ) -> None:
        """The same in another container.

        :raises LabError: it failed
        """
        self._succeeded(run_in(container, self._command(action, number, text), user=user), action, container)

    def read(self, action: str, text: str = "") -> dict[str, Any]:
        """What an action that changes nothing found, in the fault's own container.

        :raises LabError: it failed
        """
        ran = read_in(self._own, self._command(action, 0, text))
        self._succeeded(ran, action, self._own)
        return ran.answer()

    @property
    def _own(self) -> DockerContainer:
        assert self.container is not None
        return self.container

    def _command(self, action: str, number: int, text: str) -> list[str]:
        command = ["python", "-m", "ipclab", "fault-act", action, *([self.mechanism] if self.mechanism else [])]
        return [*command, f"--number={number}", f"--text={text}", *(self.address if self.mechanism else [])]

    def _succeeded(self, ran: Ran, action: str, container: DockerContainer) -> None:
        if ran.code:
            raise LabError(f"{action} in {container.name} failed: {ran.said}", hint="./lab fault status; ./lab doctor")

    def _of(self, service: str) -> Container:
        if container := of_service(self.lab.client, self.lab.project, service):
            return container
        raise NotThere(f"{service} is not in {self.lab.project}", hint="./lab up")


class Fault(ABC):
    """One fault. `touches` names what it changes: two faults that change one thing of a pair exclude each other."""

    name: ClassVar[str]
    title: ClassVar[str]
    does: ClassVar[str]  # one sentence
    source: ClassVar[str]
    scope: ClassVar[Scope] = Scope.PAIR
    strength: ClassVar[Strength | None] = None
    touches: ClassVar[frozenset[str]]
    by_chance: ClassVar[bool] = True  # a soak may draw it
    every_s: ClassVar[float] = 0  # it is repeated so often while it is on
    corrupts: ClassVar[bool] = False  # the consumer may count corrupt arrivals
    keeps: ClassVar[tuple[tuple[str, object], ...]] = ()  # what `end` reads of `before`: its name, and its type

    def refusal(self, traits: Traits) -> str:
        """Why it makes no sense for a mechanism with these traits; empty where it does."""
        del traits
        return ""

    def may_begin(self, *, yes: bool) -> None:
        """Ask for what only the user can allow.

        :raises BadInput: it needs a yes
        """
        del yes

    def told(self) -> str:
        """Why it is told and not done, on any machine; empty for one that is done."""
        return ""

    @abstractmethod
    def predict(self, traits: Traits, strength: int) -> Prediction:
        """What is to be measured."""

    def before(self, at: Target) -> dict[str, Any]:
        """What `end` must know of the state before, as JSON.

        :raises LabError: it cannot be done here
        """
        del at
        return {}

    def arguments(self, at: Target) -> list[str]:
        """More arguments of the fault's own container."""
        del at
        return []

    def options(self, at: Target) -> dict[str, Any]:
        """More rights of the fault's own container than every container of the lab has."""
        del at
        return {}

    @abstractmethod
    def begin(self, at: Target) -> None:
        """Do it.

        :raises LabError: it cannot be done
        """

    def again(self, at: Target) -> None:
        """Do it once more, each `every_s`."""
        del at

    @abstractmethod
    def end(self, at: Target) -> None:
        """Put everything back, from whatever state; what is back already is no error."""


def shares_ipc(traits: Traits) -> bool:
    """Whether the pair is in the holder's namespace."""
    return bool(traits.requires & {Sharing.IPC_NAMESPACE, Sharing.DEV_SHM})


def has_name(traits: Traits) -> bool:
    """Whether the kernel or a filesystem has the channel under a name, which can be removed."""
    return Sharing.NETWORK not in traits.requires


def stays(traits: Traits) -> bool | None:
    """Whether the name of a channel outlives its processes: always, where it has one; a socket's file too, unix(7)."""
    return True if has_name(traits) else None


def outlives(traits: Traits) -> bool:
    """Whether messages on the way outlive both sides."""
    return traits.persistence is not Persistence.PROCESS


def takes_no_copy(traits: Traits) -> bool:
    """Whether a message stays in the channel until the consumer has counted it: shared memory."""
    return traits.kind is Kind.SHARED_MEMORY


def drops(traits: Traits) -> bool:
    """Whether a full channel loses messages instead of making the producer wait."""
    return traits.on_full is OnFull.DROP


def start_again(container: Container) -> None:
    """Let a container run that may be paused, stopped or dead."""
    try:
        container.docker.reload()
        if container.docker.status == "paused":
            container.docker.unpause()
        elif container.docker.status != "running":
            container.docker.start()
    except NotFound:
        return  # ./lab down, meanwhile
    except APIError as error:
        raise LabError(f"{container.label} cannot be started: {error.explanation}", hint="./lab up") from error
