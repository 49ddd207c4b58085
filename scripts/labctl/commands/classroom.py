"""`./lab class`: many labs on one engine, started one after the other, shown as one table, removed together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import docker

from labctl.commands.down import take_down
from labctl.commands.up import Start
from labctl.config.configuration import SHARED, Configuration
from labctl.config.paths import ROOT
from labctl.engine import compose_override, engine
from labctl.engine.images import make_ready
from labctl.lab import containers
from labctl.lab.containers import PROJECT_LABEL
from labctl.lab.lab import Lab
from labctl.lab.project_lock import changing
from labctl.measured.traffic import wait_for_traffic
from labctl.terminal.errors import BadInput, LabError
from labctl.terminal.printing import new_table, show_lines, show_table
from labctl.terminal.progress import say
from labctl.workshop.classroom import limits, overview, roster, subnets
from labctl.workshop.classroom.roster import Roster, Student
from labctl.workshop.classroom.shape import Shape, shape_of


def up(
    base: Configuration,
    number: int,
    pairs: Sequence[str],
    *,
    seed: str,
    first_port: int,
    cards: Path,
    server: str,
    timeout_s: float,
    overcommit: bool,
    ask_again: bool,
) -> None:
    """Start the labs that the class does not have yet, up to `number`, and write the cards.

    :raises BadInput: they do not fit, or the class has other pairs; nothing was started
    :raises LabError: a lab does not start; those before it run
    """
    from labctl.workshop.classroom.cards import write_cards  # of the packages that `./lab` adds for this command

    known = roster.read(base.project)
    if known.students and set(known.pairs) != set(pairs):
        raise BadInput(
            f"the class {base.project} has the pairs {', '.join(known.pairs)}, not {', '.join(pairs)}",
            hint="./lab class down first, or COMPOSE_PROJECT_NAME=… for another class",
        )
    client, images = make_ready(base.values, root=ROOT, ask_again=ask_again)
    shape = shape_of(pairs, base.number("LAB_RATE"))
    kept = [student for student in known.students if student.number <= number]
    asleep = [student for student in kept if not containers.listed(client, student.project)]
    wanted = [*asleep, *roster.with_students(known, base, number, seed, first_port)]
    running = len(kept) - len(asleep)
    limits.require(len(wanted), _limits(client, base, shape, first_port), running, overcommit=overcommit)
    compose_override.write(images, base.values)
    everyone = {student.number: student for student in (*known.students, *wanted)}
    group = Roster(base.project, tuple(pairs), tuple(everyone[key] for key in sorted(everyone)))
    group.write()
    free = subnets.free(subnets.blocks(client.info()), subnets.taken(client))
    for count, student in enumerate(wanted, 1):
        say(f"Lab {count} of {len(wanted)}: {student.project}")
        with changing(student.project, "./lab class up"):
            subnets.create_networks(client, student.project, shape.networks, free)
            try:
                _start(client, student, shape, images.environment())
            except LabError as error:
                raise LabError(
                    f"{student.project} does not start, lab {running + count} of {number}: {error.message}",
                    hint=error.hint,
                ) from error
    for student in wanted:
        wait_for_traffic(Lab(student.configuration(), client), pairs, timeout_s)
    write_cards(group, cards, server)
    overview.show(overview.read(client, group.students))
    show_lines([f"Cards to print: {cards}"])


def show_limits(base: Configuration, pairs: Sequence[str], first_port: int) -> None:
    """Print what a lab takes, what the engine's machine has, and how many labs fit; starts no lab."""
    client, _ = make_ready(base.values, root=ROOT)
    shape = shape_of(pairs, base.number("LAB_RATE"))
    found = _limits(client, base, shape, first_port)
    table = new_table()
    for heading in ("resource", "a lab takes", "there are", "labs that fit"):
        table.add_column(heading, justify="right" if heading.startswith("labs") else "left")
    for limit in found:
        fits = "no bound" if limit.fits is None else f"{'about ' if limit.estimated else ''}{limit.fits}"
        table.add_row(limit.name, limit.takes, limit.has, fits)
    show_table(table)
    bounds = [limit for limit in found if limit.fits is not None]
    least = min(bounds, key=lambda limit: limit.fits or 0)
    show_lines([f"A lab is {shape} in {len(shape.services)} containers. Fewest by {least.name}: {least.fits}."])


def show_status(project: str) -> None:
    """Print one table of all labs.

    :raises LabError: this clone has started no class
    """
    overview.show(overview.read(engine.connect(), _students(project).students))


def write_overview(project: str, file: Path, every_s: int | None) -> None:
    """Write the same table as an HTML file, once or until Ctrl-C.

    :raises LabError: this clone has started no class, or the file cannot be written
    """
    from labctl.workshop.classroom import overview_page

    students = _students(project).students
    client = engine.connect()
    overview_page.write(file, project, overview.read(client, students), every_s)
    show_lines([f"{file}" + (f", written again every {every_s} s until Ctrl-C" if every_s else "")])
    if every_s:
        overview_page.keep_writing(file, project, lambda: overview.read(client, students), every_s)


def print_cards(project: str, file: Path, server: str) -> None:
    """Write the cards again.

    :raises LabError: this clone has started no class
    """
    from labctl.workshop.classroom.cards import write_cards

    write_cards(_students(project), file, server)
    show_lines([str(file)])


def down(project: str, image: str) -> None:
    """Remove every lab of the class, also those that its file does not know.

    :raises LabError: something of a lab stays; the others are removed
    """
    client = engine.connect()
    known = roster.read(project)
    projects = sorted({student.project for student in known.students} | _labs_of(client, project))
    failed: list[LabError] = []
    for name in projects:
        with changing(name, "./lab class down"):
            try:
                take_down(name, image, take_over=False)
            except LabError as error:
                failed.append(error)
    if failed:
        raise failed[0]
    known.remove()
    show_lines([f"{len(projects)} labs of the class {project} are down" if projects else f"no class {project}"])


def _start(client: docker.DockerClient, student: Student, shape: Shape, images: Mapping[str, str]) -> None:
    configuration = student.configuration()
    environment = {**configuration.environment(), **images, **dict.fromkeys(SHARED, "")}
    Start(Lab(configuration, client), shape.pairs).start(list(shape.services), environment, {})


def _limits(client: docker.DockerClient, base: Configuration, shape: Shape, first_port: int) -> list[limits.Limit]:
    free = subnets.free(subnets.blocks(client.info()), subnets.taken(client))
    machine = limits.machine_of(client, base.lab_image)
    return limits.limits(shape, machine, subnets=sum(1 for _ in free), first_port=first_port)


def _students(project: str) -> Roster:
    found = roster.read(project)
    if not found.students:
        raise LabError(f"there is no class {project} of this clone", hint="./lab class up 5 --pairs fifo,tcp")
    return found


def _labs_of(client: docker.DockerClient, project: str) -> set[str]:
    """The projects with a container or a network on this engine that are called like labs of this class."""
    label = {"label": PROJECT_LABEL}
    there = [*client.networks.list(filters=label), *client.containers.list(all=True, filters=label, sparse=True)]
    found = [str((each.attrs.get("Labels") or {}).get(PROJECT_LABEL, "")) for each in there]
    pattern = roster.names(project)
    return {name for name in found if pattern.fullmatch(name)}
