"""What the rows of ``coupling_table`` say: Tables 2 and 3, readings, wrong relations and overlap, unequal sizes."""

from collections.abc import Mapping, Sequence

import pandas as pd

from mtlib.experiments import face_summary
from mtlib.experiments.coupling_arms import (
    ABLATION,
    ARMS,
    NC,
    OVERLAPS,
    PRINTED,
    RATIOS,
    READINGS,
    ST,
    WRONGS,
    C,
    at,
    sized,
)
from mtlib.experiments.coupling_scores import MAIN, Rows, paired, values
from mtlib.experiments.face_summary import spelled
from mtlib.metrics.intervals import mean_of

Samples = dict[str, list[float]]  # {estimate: [one per seed]}
TASKS = {"expression": "expressions", "units": "action units"}
OWN = {"expression": "ST expression", "units": "ST action units"}  # the network of one task
ROWS = ("ST", NC, ST, *C.values())  # of Table 2
DRAWN, PHOTOS = "drawn faces", "photographs, printed"


def arm_of(name: str, task: str) -> str:
    """The arm behind a row of Table 2: ``ST`` is another network for each task."""
    return OWN[task] if name == "ST" else name


def arms(rows: Rows) -> list[str]:
    """The arms that there are rows of, in the order of ``coupling_arms.ARMS``."""
    return face_summary.arms(rows, ARMS)


# ------------------------------------------------------------------ Tables 2 and 3


def table2(rows: Rows, printed: Mapping[str, Mapping[str, Sequence[float]]]) -> pd.DataFrame:
    """A line per row of Table 2: our scores, our gain over networks of one task, the printed gain.

    Args:
        printed: {task: {row: [gain over ST, one per network]}}, as ``dm_printed`` has them.
    """
    lines = {}
    for name in ROWS:
        line: dict[str, object] = {"n": len(values(rows, arm_of(name, "units"), "units"))}
        for task, title in TASKS.items():
            arm = arm_of(name, task)
            line[f"{title}: {MAIN[task]} (%)"] = spelled(list(values(rows, arm, task).values()))
            line[f"{title}: to ST"] = "–" if name == "ST" else spelled(paired(rows, arm, OWN[task], task), sign=True)
            theirs = printed[task].get(name, ())
            line[f"{title}: to ST, printed"] = f"{min(theirs):+.1f} to {max(theirs):+.1f}" if theirs else "–"
        lines[name] = line
    return pd.DataFrame(lines).T


def gains(rows: Rows, names: Sequence[str], base: str = NC) -> dict[str, Samples]:
    """{task: {row: gain over ``base`` in points, one per seed}}; rows without any are left out."""
    found: dict[str, Samples] = {}
    for task in TASKS:
        own = {name: paired(rows, arm_of(name, task), arm_of(base, task), task) for name in names}
        found[task] = {name: gain for name, gain in own.items() if gain}
    return found


def ablation(rows: Rows) -> dict[str, Samples]:
    """Table 3 with what stands around it: single-task, student, each loss alone and both, over no coupling."""
    own = [name for source, both in C.items() for name in (*(a for a in ABLATION if source in a), both)]
    return gains(rows, ["ST", ST, *own])


def readings(rows: Rows) -> dict[str, Samples]:
    """The same losses read otherwise, over no coupling."""
    return gains(rows, [C["study"], *PRINTED, *READINGS])


def negative_transfer(rows: Rows) -> pd.DataFrame:
    """As the paper defines it: in how many seeds a network of both tasks is worse than a network of one task."""
    lines = {}
    for name in ROWS[1:]:
        each = {task: paired(rows, name, OWN[task], task) for task in TASKS}
        worse = {title: sum(gain < 0 for gain in each[task]) for task, title in TASKS.items()}
        any_of = sum(min(both) < 0 for both in zip(*each.values(), strict=True))
        lines[name] = {"seeds": len(each["units"]), **worse, "any of the two": any_of}
    return pd.DataFrame(lines).T


# ------------------------------------------------------------------ what no paper shows


def surface(rows: Rows, task: str) -> dict[float, dict[float, list[float]]]:
    """{overlap: {share of wrong relations: gain over no coupling at that overlap, one per seed}}, whole or empty."""
    found = {
        overlap: {wrong: paired(rows, at(overlap, wrong), at(overlap, None), task) for wrong in WRONGS}
        for overlap in OVERLAPS
    }
    return found if all(gain for own in found.values() for gain in own.values()) else {}


def sizes(rows: Rows, images: int) -> dict[str, dict[str, dict[str, Samples]]]:
    """{which task is short of images: {task: {row: {its images: per cent, one per seed}}}}, whole or empty."""
    found: dict[str, dict[str, dict[str, Samples]]] = {}
    for place, title in enumerate(("few expressions", "few action units")):
        ratios = sorted((ratio for ratio in RATIOS if ratio[1 - place] == 1), key=lambda ratio: ratio[place])
        found[title] = {task: {name: {} for name in ("ST", NC, C["study"])} for task in TASKS}
        for task, own in found[title].items():
            for name, by_size in own.items():
                for ratio in ratios:
                    scores = values(rows, sized(arm_of(name, task), ratio), task)
                    if not scores:
                        return {}
                    by_size[str(round(images * ratio[place]))] = list(scores.values())
    return found


# ------------------------------------------------------------------ claims, record


def samples(rows: Rows) -> Samples:
    """Every estimate that dm.toml asks for and the rows allow, one value per seed."""
    found: Samples = {}
    whole = C["study"]
    pairs = [(NC, "ST"), *((name, NC) for name in C.values()), (whole, "ST"), (ST, NC), (whole, ST)]
    pairs += [(name, NC) for name in (*ABLATION, *PRINTED)]
    pairs += [(whole, "co-annotation (study)"), (whole, "matching (study)")]
    pairs += [("C (true table, Bayes)", "C (true table)")]
    for first, second in pairs:
        for task in TASKS:
            found[f"{first} minus {second}, {task}"] = paired(rows, first, arm_of(second, task), task)
    gain = paired(rows, whole, NC, "expression")
    found["wrong 1 minus NC, expression"] = paired(rows, at(0.0, 1.0), NC, "expression")
    met = paired(rows, at(1.0, 0.0), at(1.0, None), "expression")
    found["gain at overlap 0 minus at overlap 1, expression"] = _less(gain, met)
    few = paired(rows, sized(whole, RATIOS[0]), sized(NC, RATIOS[0]), "expression")
    found["gain at 1/16 of expressions minus at all, expression"] = _less(few, gain)
    return {key: one for key, one in found.items() if one}


def _less(first: Sequence[float], second: Sequence[float]) -> list[float]:
    """First minus second, of equal seeds; nothing where seeds are missing."""
    return [a - b for a, b in zip(first, second, strict=True)] if len(first) == len(second) else []


def scoreboard(rows: Rows) -> dict[str, object]:
    """The arms for the side-by-side notebook: gain over single-task networks and over no coupling."""
    found = {}
    for base in ("ST", NC):
        for task, own in gains(rows, [name for name in ROWS if name != base], base).items():
            found |= {f"{name} over {base}, {task}": gain for name, gain in own.items()}
    return {name: mean_of(gain) for name, gain in found.items() if len(gain) > 1}


def to_record(rows: Rows) -> list[dict]:
    """Rows for a record: without what every row of it has in common."""
    return [{key: value for key, value in row.items() if key not in ("losses", "size", "data")} for row in rows]
