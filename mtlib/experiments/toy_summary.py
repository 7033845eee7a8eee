"""What Table I with error bars says: paired differences, tables and what the spaces know, from the scores of cells."""

from collections.abc import Mapping, Sequence

import pandas as pd

from mtlib import toy
from mtlib.claims import mean_of
from mtlib.experiments import probes, sos_toy, toy_table

PAIRS = (*sos_toy.DIFFERENCES, ("SOS", "MT wide"))
OVERLAPPING = sos_toy.STRONG["caption"]  # and by computation (S-13)
SPECIFIC = dict(zip(probes.SPACES[1:], probes.TARGETS, strict=True))  # each specific space's own task

Samples = dict[str, list[float]]  # {estimate: [one per seed]}


def by_arm(scores: pd.DataFrame, column: str = "average") -> pd.DataFrame:
    """One column per arm, one row per (set, seed); missing where an arm has no such cell."""
    arms = list(dict.fromkeys(scores["arm"]))
    return scores.pivot(index=["set", "seed"], columns="arm", values=column)[arms]


def paired(scores: pd.DataFrame, first: str, second: str, column: str = "average") -> pd.DataFrame:
    """First minus second arm, one row per seed and one column per set, where both have been trained."""
    wide = by_arm(scores, column)
    if not {first, second} <= set(wide.columns):
        return pd.DataFrame()
    each = (wide[first] - wide[second]).dropna().unstack("set")
    return each.dropna()  # a seed that lacks a set has another average


def samples(scores: pd.DataFrame) -> Samples:
    """Every estimate that sos_table1.toml asks for and these scores allow, one value per seed, in points."""
    found: Samples = {}
    for first, second in PAIRS:
        each = paired(scores, first, second)
        if each.empty:
            continue
        found[f"average/{first}-{second}"] = each.mean(axis=1).tolist()
        for number in each.columns:
            found[f"set {number}/{first}-{second}"] = each[number].tolist()
        overlapping = [number in OVERLAPPING for number in each.columns]
        if (first, second) == ("MT", "ST") and any(overlapping) and not all(overlapping):
            others = [not one for one in overlapping]
            gap = each.loc[:, overlapping].mean(axis=1) - each.loc[:, others].mean(axis=1)
            found["overlap/MT-ST"] = gap.tolist()
    for arm in toy_table.ABLATIONS:
        each = paired(scores, "SOS", arm)
        if not each.empty:
            found[f"average/SOS-{arm}"] = each.mean(axis=1).tolist()
    return found | _probe_samples(scores)


def _probe_samples(scores: pd.DataFrame) -> Samples:
    """What a specific space tells of its own task beyond the other, and how much of that the game takes away."""
    found: Samples = {}
    own, other = (_specific(scores, own=side) for side in (True, False))
    if "SOS" in own:
        gap = (own["SOS"] - other["SOS"]).dropna()
        found["probe/own-other"] = gap.groupby("seed").mean().tolist()
    if {"SOS", "without (6)"} <= set(other.columns):
        gap = (other["without (6)"] - other["SOS"]).dropna()
        found["probe/game"] = gap.groupby("seed").mean().tolist()
    return found


def _specific(scores: pd.DataFrame, *, own: bool) -> pd.DataFrame:
    """Accuracy of the probes from the two specific spaces, each of its own or of the other task, by arm."""
    probed = scores.dropna(subset=["probe specific 1/task 1"]) if "probe specific 1/task 1" in scores else scores[:0]
    columns = [
        f"probe {space}/{task}"
        for space, mine in SPECIFIC.items()
        for task in SPECIFIC.values()
        if (task == mine) == own
    ]
    if probed.empty:
        return pd.DataFrame()
    return by_arm(probed.assign(value=probed[columns].mean(axis=1)), "value")


def table1(scores: pd.DataFrame) -> dict[str, dict[str, dict]]:
    """{model: {"average": over all sets and both tasks, "set 8": {"task 1", "task 2", "average"}}}, per cent.

    Each leaf is {"mean", "low", "high", "n"}; the average's samples are the seeds' means over the sets.
    """
    found: dict[str, dict[str, dict]] = {}
    for model in toy_table.MODELS:
        own = scores[scores["arm"] == model]
        if own.empty:
            continue
        found[model] = {"average": mean_of(own.groupby("seed")["average"].mean().tolist())}
        for number, rows in own.groupby("set", sort=False):
            found[model][f"set {number}"] = {name: mean_of(rows[name].tolist()) for name in sos_toy.COLUMNS}
    return found


def beside_print(found: Mapping[str, Mapping]) -> pd.DataFrame:
    """What ``table1`` gave beside the print, per task and on average: a row per set and model, then the averages.

    Returns:
        Columns (task 1, task 2, average) by (printed, ours); a dash where nothing is printed.
    """
    theirs = sos_toy.printed().set_index(["set", "model"])
    sets = [key for key in found["SOS"] if key != "average"]
    rows = {}
    for key in [*sets, "average"]:
        numbers = [int(each.removeprefix("set ")) for each in (sets if key == "average" else [key])]
        for model, table in found.items():
            row = {}
            for name in sos_toy.COLUMNS:
                own = table[key] if key == "average" and name == "average" else table[key].get(name)
                cells = [(number, model) for number in numbers if model in sos_toy.MODELS]
                printed = theirs.loc[cells, name].mean() if cells else None
                alone = key == "average" and name != "average"  # the last rows average over sets and tasks
                row[name, "printed"] = "–" if printed is None or alone else f"{printed:.1f}"
                row[name, "ours"] = "–" if alone else sos_toy.spelled(own)
            rows[key.removeprefix("set "), model] = row
    table = pd.DataFrame(rows).T
    table.index.names = ["set", "model"]
    return table


def readings(scores: pd.DataFrame) -> pd.DataFrame:
    """The differences between models under each reading, beside the default on the same sets and seeds (S-10, S-24).

    Returns:
        One row per reading: sets, n, and "MT-ST", "SOS-MT", "SOS-ST" under it and by default, as {"mean", ...}.
    """
    wide = by_arm(scores)
    rows = []
    for name in ("spaces after ReLU", *toy_table.PLANES):
        arms = {model: f"{model}, {name}" for model in sos_toy.MODELS}
        arms = {model: arm if arm in wide else model for model, arm in arms.items()}  # S-24 concerns SOS alone
        if arms["SOS"] not in wide or arms["SOS"] == "SOS":
            continue
        both = wide[[*sos_toy.MODELS, *{arm for arm in arms.values() if arm not in sos_toy.MODELS}]].dropna()
        sets = both.index.get_level_values("set").unique().tolist()
        row: dict = {"reading": name, "sets": sets}
        for first, second in sos_toy.DIFFERENCES:
            for title, (a, b) in {"": (arms[first], arms[second]), " by default": (first, second)}.items():
                found = (both[a] - both[b]).groupby("seed").mean().tolist()
                row[f"{first}-{second}{title}"] = mean_of(found)
        rows.append(row)
    return pd.DataFrame(rows)


def probe_matrices(scores: pd.DataFrame, arms: Sequence[str], sets: Sequence[int]) -> dict[str, pd.DataFrame]:
    """Mean accuracy (per cent) of linear probes, over the sets and the seeds that all these arms have.

    Returns:
        {"arm, n = seeds": rows nothing, common, specific 1, specific 2; columns the tasks}.
    """
    probed = scores[scores["arm"].isin(arms) & scores["set"].isin(sets)].dropna(subset=probes.columns())
    shared = set.intersection(*(set(probed.loc[probed["arm"] == arm, "seed"]) for arm in arms))
    rows = ("nothing", *probes.SPACES)
    found = {}
    for arm in arms:
        own = probed[(probed["arm"] == arm) & probed["seed"].isin(shared)]
        columns = {task: [own[f"probe {space}/{task}"].mean() for space in rows] for task in probes.TARGETS}
        found[f"{arm}, n = {len(shared)}"] = pd.DataFrame(columns, index=rows)
    return found


def diverged(scores: pd.DataFrame) -> list[dict[str, object]]:
    """The networks that went wrong: set, arm, seed and why."""
    return scores.loc[scores["frozen"].notna(), ["set", "arm", "seed", "frozen"]].to_dict("records")


def judged(samples: Samples, sets: Sequence[int]) -> Samples:
    """What may be judged: claims about averages are about all ten sets."""
    every = set(sets) == set(toy.SETS)
    return {key: values for key, values in samples.items() if every or key.startswith("set ")}


def to_record(scores: pd.DataFrame) -> dict[str, dict[str, dict[str, list]]]:
    """The scores as a record holds them: {arm: {"set 8": {column: [one per seed]}}}, to a hundredth of a point."""
    columns = [*sos_toy.COLUMNS, *probes.columns()]
    found: dict = {}
    for (arm, number), rows in scores.groupby(["arm", "set"], sort=False):
        kept = {name: rows[name] for name in columns if name in rows and rows[name].notna().all()}
        found.setdefault(arm, {})[f"set {number}"] = {"seed": rows["seed"].tolist()} | {
            name: [round(value, 2) for value in values.tolist()] for name, values in kept.items()
        }
    return found


def from_record(recorded: Mapping[str, Mapping[str, Mapping[str, list]]]) -> pd.DataFrame:
    """The scores that ``to_record`` packed."""
    frames = [
        pd.DataFrame({"set": int(key.removeprefix("set ")), "arm": arm, **columns})
        for arm, sets in recorded.items()
        for key, columns in sets.items()
    ]
    return pd.concat(frames, ignore_index=True)
