"""What is compared about distribution matching on faces: networks, relations, readings; and their making."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from mtlib.controls import MultiTask
from mtlib.coupling import Coupled, Relations
from mtlib.coupling.co_annotation import Neutral
from mtlib.coupling.matching import MatchingForm
from mtlib.coupling.model import SoftLabels
from mtlib.coupling.printed import relations as printed
from mtlib.coupling.student import Student
from mtlib.faces import structure
from mtlib.faces.names import ACTION_UNITS, EXPRESSIONS
from mtlib.method import Method
from mtlib.networks import Trunk
from mtlib.seeds import seeded
from mtlib.tasks import Task

EXPRESSION, UNITS = "expression", "action_units"
NAMES = tuple(f"AU{unit}" for unit in ACTION_UNITS)
RATES = (1e-3, 2e-3, 4e-3)  # learning rates that are tried
MEAN = round(1 / len(NAMES), 4)  # weight that makes the sum over units of Eq. (3) the mean that L_AU is
SHARP = 0.1  # a temperature at which an indicator of 1 stands out; chosen on the seed of the search

Learns = Literal["both", "expression", "action_units"]
Source = Literal["study", "database", "true"]


@dataclass(frozen=True)
class Arm:
    """One network.

    Args:
        learns: both tasks, or one that has the network to itself.
        taught: learns also what such networks say where labels are missing.
        relations: what couples the tasks: Table 1 by the study or by the data base, or the table by which faces are
            drawn; None: nothing does.
        matching, co_annotation, form, detach, temperature, neutral, labels: see ``coupling.Coupled``.
        wrong: share of the relations that are wrong.
        overlap: share of the smaller part's images that have labels of both tasks.
        expression, units: images with labels of each task, of the plan's number.
        like: the arm whose learning rate it takes; None: it is tuned.
        few: needed with few seeds only.
    """

    learns: Learns = "both"
    taught: bool = False
    relations: Source | None = None
    matching: float = MEAN
    co_annotation: float = 1.0
    form: MatchingForm = "mended"
    detach: bool = False
    temperature: float = SHARP
    neutral: Neutral = "zero"
    labels: SoftLabels = "indicators"
    wrong: float = 0.0
    overlap: float = 0.0
    expression: float = 1.0
    units: float = 1.0
    like: str | None = None
    few: bool = False


ALONE = {"ST expression": Arm("expression"), "ST action units": Arm("action_units")}
NC, ST = "NC", "S-T NC"
C = {"study": "C (study)", "database": "C (database)"}
# Rows of Tables 2 and 3: single-task, without coupling, student and teachers, coupled by two sources.
TABLE = (
    ALONE
    | {NC: Arm(), ST: Arm(taught=True, like=NC)}
    | {C["study"]: Arm(relations="study"), C["database"]: Arm(relations="database", like=C["study"])}
)
ABLATION = {
    f"{part} ({source})": Arm(relations=source, like=C["study"], **{other: 0.0})
    for source in C
    for part, other in (("co-annotation", "matching"), ("matching", "co_annotation"))
}
# The weights and the temperature of the print, with the mended losses, and with the printed ones.
UNIT = {"matching": 1.0, "temperature": 1.0}
PRINTED = {f"{name}, unit weights": Arm(relations=source, **UNIT) for source, name in C.items()} | {
    f"{name}, as printed": Arm(relations=source, **UNIT, form="printed", like=f"{name}, unit weights")
    for source, name in C.items()
}
READINGS = {
    "C (true table)": Arm(relations="true", like=C["study"]),
    "C (true table, Bayes)": Arm(relations="true", labels="bayes", like=C["study"]),
    "C (study, Bayes)": Arm(relations="study", labels="bayes", like=C["study"]),
    "C (study), T = 1": Arm(relations="study", temperature=1.0, like=C["study"], few=True),
    "C (study), T = 0.3": Arm(relations="study", temperature=0.3, like=C["study"], few=True),
    "C (study), detached": Arm(relations="study", detach=True, like=C["study"], few=True),
    "C (study), divergence": Arm(relations="study", form="divergence", like=C["study"], few=True),
    "C (study), neutral = rest": Arm(relations="study", neutral="rest", like=C["study"], few=True),
    "C (study), neutral out": Arm(relations="study", neutral="out", like=C["study"], few=True),
}
OVERLAPS, WRONGS = (0.0, 0.25, 0.5, 1.0), (0.0, 0.35, 0.7, 1.0)


def at(overlap: float, wrong: float | None) -> str:
    """The name of the arm at a place of the map; ``wrong`` None: without coupling."""
    if wrong is None:
        return f"{NC}, overlap {overlap:g}" if overlap else NC
    if not overlap and not wrong:
        return C["study"]
    return f"{C['study']}, overlap {overlap:g}, wrong {wrong:g}"


# What claims are about, on all seeds.
CORNERS = ((0.0, 1.0), (1.0, 0.0), (1.0, None))
MAP = {
    at(overlap, wrong): Arm(
        relations=None if wrong is None else "study",
        wrong=wrong or 0.0,
        overlap=overlap,
        like=NC if wrong is None else C["study"],
        few=(overlap, wrong) not in CORNERS,
    )
    for overlap in OVERLAPS
    for wrong in (None, *WRONGS)
    if at(overlap, wrong) not in (NC, C["study"])
}
# (expression images, images with action units), of the plan's number.
RATIOS = ((1 / 16, 1.0), (1 / 4, 1.0), (1.0, 1.0), (1.0, 1 / 4), (1.0, 1 / 16))


def sized(name: str, ratio: tuple[float, float]) -> str:
    """The name of an arm with fewer images; a network of one task does not see the other's."""
    expression, units = ratio
    parts = [f"{expression:g} of expressions"] if expression != 1 and name != "ST action units" else []
    parts += [f"{units:g} of units"] if units != 1 and name != "ST expression" else []
    return ", ".join([name, *parts])


COMPARED = ("ST expression", "ST action units", NC, C["study"])
SIZES = {
    sized(name, ratio): replace(
        TABLE[name], expression=ratio[0], units=ratio[1], like=name, few=ratio != RATIOS[0] or name in ALONE
    )
    for name in COMPARED
    for ratio in RATIOS
    if sized(name, ratio) != name
}
ARMS = TABLE | ABLATION | PRINTED | READINGS | MAP | SIZES
# What a notebook trains itself, when it does not make its record.
LIVE = (*ALONE, NC, C["study"], "C (study), unit weights")


# ------------------------------------------------------------------ their making


def relations_of(arm: Arm, seed: int, units: Sequence[str] = NAMES) -> Relations | None:
    """What couples an arm's tasks; which of them are wrong is the seed's.

    Args:
        units: names of the action units, as the data have them.
    """
    if arm.relations is None:
        return None
    found = drawn_by() if arm.relations == "true" else printed(arm.relations, EXPRESSIONS, units)
    return found.wrong(arm.wrong, seed) if arm.wrong else found


def drawn_by() -> Relations:
    """The table by which faces are drawn: both printed ones mixed, with a floor, and smiles as CelebA has them."""
    table = structure.load().au_table.float()
    return Relations(EXPRESSIONS, NAMES, table, table)


def build(
    arm: Arm,
    make: Callable[[], Trunk],
    tasks: Sequence[Task],
    seed: int,
    teachers: Sequence[Method] = (),
) -> Method:
    """An arm's network with its initial weights; the trunk's are the same for all arms.

    Args:
        make: gives a new trunk.  tasks: expression and action units.  teachers: of a student, in this order.
    """
    by_name = {task.name: task for task in tasks}
    with seeded("coupling", "trunk", seed):
        trunk = make()
    with seeded("coupling", "head", seed):
        if arm.learns != "both":
            return MultiTask(trunk, trunk.features, [by_name[arm.learns]])
        own = (trunk, trunk.features, by_name[EXPRESSION], by_name[UNITS])
        if arm.taught:
            return Student(*own, *teachers)
        settings = {
            name: getattr(arm, name)
            for name in ("matching", "co_annotation", "form", "detach", "temperature", "neutral", "labels")
        }
        return Coupled(*own, relations_of(arm, seed, by_name[UNITS].columns), **settings)
