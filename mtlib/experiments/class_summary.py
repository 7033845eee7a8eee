"""What the rows of ``class_table`` say: Tables 4 and 5, halves of the labels, readings, yeast, negative transfer."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from mtlib.experiments.class_arms import ATTRIBUTES, BLOCKS, CLASSES, METHODS, NETWORKS, READINGS, STRONG
from mtlib.experiments.class_scores import MEASURES, paired, values
from mtlib.experiments.face_summary import spelled
from mtlib.metrics.intervals import mean_of
from mtlib.paths import repository

Rows = Sequence[Mapping]  # of ``class_table.train``
Samples = dict[str, list[float]]  # {estimate: [one per seed]}

ROWS = {"ST": "ST", "NC": "NC_MT", "C": "C_MT"}  # of Table 4, and what its file calls them
SHORT = {"accuracy": "acc", "F1": "f1"}
PUBLISHED = {"VGG": "VGG-16", "ResNet": "ResNet-50", "DenseNet": "DenseNet-121"}
STEPS = {"C minus NC": ("C", "NC"), "NC minus ST": ("NC", "ST")}


def named(network: str, row: str, block: str, end: str = "") -> str:
    """The arm behind a row of Table 4; single-task networks have one for each block."""
    return f"{network} {row}{f' {block}' if row == 'ST' else ''}{end}"


def difference(
    rows: Rows, network: str, step: tuple[str, str], block: str, measure: str = "accuracy", end: str = ""
) -> list[float]:
    """First row minus second of one network, points, one per seed; ``end`` such as ``", half"``."""
    first, second = (named(network, row, block, end) for row in step)
    return paired(rows, first, second, block, measure)


def over_networks(rows: Rows, step: tuple[str, str], block: str, measure: str = "accuracy") -> np.ndarray:
    """(3, seeds) differences of the networks of Table 4, of the seeds that all have."""
    arms = [[named(network, row, block) for row in step] for network in NETWORKS]
    each = [[values(rows, arm, block, measure) for arm in pair] for pair in arms]
    seeds = sorted(set.intersection(*(set(own) for pair in each for own in pair)))
    return np.array([[one[seed] - other[seed] for seed in seeds] for one, other in each])


# ------------------------------------------------------------------ printed


def printed4(db: str = "CelebA") -> dict[str, dict[str, dict[tuple[str, str], float]]]:
    """Table 4 as printed, {network: {row: {(block, measure): per cent}}}; db: CelebA, CUB, SADD or CAD."""
    table = pd.read_csv(repository() / "data" / "papers" / "dm_table4.csv")
    lines = table[table["db"] == db].set_index("network")
    return {
        network: {
            row: {
                (block, measure): float(lines.loc[full, f"{column}_{block}_{SHORT[measure]}"])
                for block in BLOCKS
                for measure in MEASURES
            }
            for row, column in ROWS.items()
        }
        for network, full in PUBLISHED.items()
    }


def printed_steps(step: tuple[str, str], block: str, measure: str = "accuracy", db: str = "CelebA") -> dict[str, float]:
    """{network: printed difference of two rows, points}."""
    return {
        network: round(own[step[0]][block, measure] - own[step[1]][block, measure], 1)
        for network, own in printed4(db).items()
    }


def printed5(db: str = "CUB") -> dict[str, dict[str, float]]:
    """Table 5 as printed, {method: {block: accuracy}}, with ResNet-50's rows of Table 4 before it."""
    table = pd.read_csv(repository() / "data" / "papers" / "dm_table5.csv")
    rows4 = printed4(db)["ResNet"]
    found = {f"ResNet {row}": {block: rows4[row][block, "accuracy"] for block in BLOCKS} for row in ROWS}
    for line in table[table["db"] == db].to_dict("records"):
        name = {"TR": "Task Routing", "NTS-NC MT": "NTS-NC", "NTS-C MT": "NTS-C"}.get(line["method"], line["method"])
        found[name] = {block: float(line[f"{block}_acc"]) for block in BLOCKS}
    return found


def gains4() -> dict[str, dict[str, dict[str, float]]]:
    """Table 4's printed differences of CelebA, {step: {network: {block: points}}}."""
    each = {title: {block: printed_steps(step, block) for block in BLOCKS} for title, step in STEPS.items()}
    return {
        title: {network: {block: own[block][network] for block in BLOCKS} for network in NETWORKS}
        for title, own in each.items()
    }


def gains5() -> dict[str, dict[str, float]]:
    """Table 5's printed gains of CUB over single-task networks, {method: {block: points}}, as ``by_method``."""
    table = printed5()
    found = {}
    for name, own in table.items():
        if name not in ("ResNet ST", "NTS-ST"):
            alone = table["NTS-ST" if name.startswith("NTS") else "ResNet ST"]
            found[name.replace("NTS-", f"{STRONG} ")] = {block: round(own[block] - alone[block], 1) for block in BLOCKS}
    return found


def by_step(rows: Rows) -> dict[str, dict[str, dict[str, list[float]]]]:
    """{step: {network: {block: differences, one per seed}}}, of what there are rows of in both blocks."""
    found = {}
    for title, step in STEPS.items():
        own = {name: {block: difference(rows, name, step, block) for block in BLOCKS} for name in NETWORKS}
        found[title] = {name: both for name, both in own.items() if all(both.values())}
    return {title: own for title, own in found.items() if own}


# ------------------------------------------------------------------ tables


def table4(rows: Rows, networks: Sequence[str] = NETWORKS, end: str = "") -> pd.DataFrame:
    """A line per network and row: n, accuracy and F1 of classes and attributes, per cent with 95 % intervals."""
    lines = {}
    for network in networks:
        for row in ROWS:
            own = {
                f"{block}: {measure} (%)": list(values(rows, named(network, row, block, end), block, measure).values())
                for block in BLOCKS
                for measure in MEASURES
            }
            if any(own.values()):
                lines[f"{network} {row}{end}"] = {"n": max(map(len, own.values()))} | {
                    title: spelled(each) for title, each in own.items()
                }
    return pd.DataFrame(lines).T


def steps4(rows: Rows) -> pd.DataFrame:
    """What coupling and sharing change, points: of every network, ours and as printed of CelebA."""
    lines = {}
    for title, step in STEPS.items():
        for block in BLOCKS:
            theirs = printed_steps(step, block)
            for network in NETWORKS:
                ours = difference(rows, network, step, block)
                if ours:
                    line = {
                        "n": len(ours),
                        "drawn faces": spelled(ours, sign=True),
                        "CelebA": f"{theirs[network]:+.1f}",
                    }
                    lines[f"{title}, {block}, {network}"] = line
    return pd.DataFrame(lines).T


def methods(rows: Rows) -> dict[str, str]:
    """{line of Table 5: its arm} of those that there are rows of; single-task ones stand by their classes."""
    there = {row["arm"] for row in rows if not row["diverged"]}
    arms = {f"ResNet {row}": named("ResNet", row, CLASSES) for row in ROWS}
    arms |= {name: f"ResNet {name}" for name in METHODS}
    arms |= {f"strong {row}": named(STRONG, row, CLASSES) for row in ROWS}
    return {name: arm for name, arm in arms.items() if arm in there}


def by_method(rows: Rows) -> dict[str, dict[str, list[float]]]:
    """{line of Table 5: {block: [gain over single-task ResNets, one per seed]}}; of ``strong`` over its own."""
    found = {}
    for name, arm in methods(rows).items():
        network = STRONG if name.startswith(STRONG) else "ResNet"
        if not name.endswith(" ST"):
            found[name] = {block: paired(rows, arm, named(network, "ST", block), block) for block in BLOCKS}
    return {name: own for name, own in found.items() if any(own.values())}


def table5(rows: Rows) -> pd.DataFrame:
    """A line per method: n, accuracy of both blocks, and the printed accuracies of CUB in a column of their own."""
    theirs, lines = printed5(), {}
    for name, arm in methods(rows).items():
        arms = {block: arm.replace(CLASSES, block) if name.endswith(" ST") else arm for block in BLOCKS}
        own = {block: list(values(rows, arms[block], block).values()) for block in BLOCKS}
        other = theirs.get(name.replace(STRONG + " ", "NTS-"))
        lines[name] = {
            "n": len(own[CLASSES]),
            "drawn faces: classes (%)": spelled(own[CLASSES]),
            "attributes (%)": spelled(own[ATTRIBUTES]),
            "CUB, printed": "–" if other is None else f"{other[CLASSES]} – {other[ATTRIBUTES]}",
        }
    return pd.DataFrame(lines).T


def readings(rows: Rows) -> pd.DataFrame:
    """Other readings of the coupling on ResNet: n, difference to no coupling in both blocks, and how sure it is."""
    lines = {}
    for arm in ("ResNet C", *READINGS, "ResNet C, half"):
        base = "ResNet NC, half" if arm.endswith(", half") else "ResNet NC"
        own = {block: paired(rows, arm, base, block) for block in BLOCKS}
        f1 = paired(rows, arm, base, ATTRIBUTES, "F1")
        if own[CLASSES]:
            sure = [row["sure"] for row in rows if row["arm"] == arm and not row["diverged"]]
            lines[arm] = {
                "n": len(own[CLASSES]),
                "classes, accuracy": spelled(own[CLASSES], sign=True),
                "attributes, accuracy": spelled(own[ATTRIBUTES], sign=True),
                "attributes, F1": spelled(f1, sign=True),
                "largest class probability": f"{np.mean(sure):.2f}",
            }
    return pd.DataFrame(lines).T


# ------------------------------------------------------------------ negative transfer


def negative(rows: Rows, arms: Mapping[str, str]) -> pd.DataFrame:
    """Negative transfer as the paper has it: worse than a single-task network in one block or more, counted by seed.

    Args:
        arms: {line: (arm)} whose first word is the network of the single-task ones to compare with.
    """
    lines = {}
    for name, arm in arms.items():
        end = ", half" if arm.endswith(", half") else ""
        gains = {}
        for block in BLOCKS:
            own, alone = values(rows, arm, block), values(rows, named(arm.split()[0], "ST", block, end), block)
            gains[block] = {seed: own[seed] - alone[seed] for seed in own if seed in alone}
        seeds = sorted(set(gains[CLASSES]) & set(gains[ATTRIBUTES]))
        if seeds:
            hurt = {block: [seed for seed in seeds if gains[block][seed] < 0] for block in BLOCKS}
            either = set(hurt[CLASSES]) | set(hurt[ATTRIBUTES])
            counts = {"either": len(either), **{block: len(own) for block, own in hurt.items()}}
            lines[name] = {"n": len(seeds)} | {f"worse in {what}": n for what, n in counts.items()}
    return pd.DataFrame(lines).T


def compared(end: str = "") -> dict[str, str]:
    """The arms for ``negative`` on faces, with halves of the labels or with all."""
    if end:
        return {f"ResNet {row}{end}": f"ResNet {row}{end}" for row in ("NC", "C")}
    found = {f"{network} {row}": f"{network} {row}" for network in NETWORKS for row in ("NC", "C")}
    return found | {name: f"ResNet {name}" for name in METHODS}


# ------------------------------------------------------------------ claims, record


def samples(rows: Rows) -> Samples:
    """Every estimate about faces that dm_classes.toml asks for and these rows allow, one value per seed."""
    found: Samples = {}
    for title, step in (("C-NC", ("C", "NC")), ("NC-ST", ("NC", "ST"))):
        for block in BLOCKS:
            for measure in MEASURES:
                own = over_networks(rows, step, block, measure)
                found[f"{title}/{block}/{measure}"] = own.mean(0).tolist() if own.size else []
    own = over_networks(rows, ("C", "NC"), CLASSES)
    found["C-NC/classes/least"] = own.min(0).tolist() if own.size else []
    for block in BLOCKS:
        found[f"C-others/{block}"] = over_others(rows, block)
        found[f"half C-NC/{block}"] = difference(rows, "ResNet", ("C", "NC"), block, end=", half")
    found["strong C-NC/classes"] = difference(rows, STRONG, ("C", "NC"), CLASSES)
    found["NC-unit/classes"] = paired(rows, "ResNet NC", "ResNet C, unit weights", CLASSES)
    return {key: each for key, each in found.items() if each}


def over_others(rows: Rows, block: str) -> list[float]:
    """Coupled ResNet minus the best of Table 5's methods, one per seed that all of them have."""
    own, others = values(rows, "ResNet C", block), [values(rows, f"ResNet {name}", block) for name in METHODS]
    seeds = [seed for seed in own if all(seed in other for other in others)]
    return [own[seed] - max(other[seed] for other in others) for seed in seeds]


def yeast_samples(rows: Rows) -> Samples:
    """Every estimate about yeast that dm_classes.toml asks for, one value per seed."""
    found = {f"yeast half C-NC/{block}": difference(rows, "mlp", ("C", "NC"), block, end=", half") for block in BLOCKS}
    found["yeast half C-wrong/classes"] = paired(rows, "mlp C, half", "mlp C, wrong, half", CLASSES)
    return {key: each for key, each in found.items() if each}


def yeast(rows: Rows) -> dict[str, dict[str, list[float]]]:
    """{what is coupled, with which labels: {block: [difference to no coupling, one per seed]}}."""
    found = {}
    for end, labels in (("", "all labels"), (", half", "half of the labels")):
        arms = {"single-task": None, "coupled": "mlp C", "wrong relations": "mlp C, wrong"}
        for title, arm in arms.items():
            own = {}
            for block in BLOCKS:
                one = named("mlp", "ST", block, end) if arm is None else f"{arm}{end}"
                own[block] = paired(rows, one, f"mlp NC{end}", block)
            found[f"{title}, {labels}"] = own
    return {name: own for name, own in found.items() if any(own.values())}


def scoreboard(rows: Rows) -> dict[str, object]:
    """Coupling and the others for the side-by-side notebook: gain over the same network without coupling, points."""
    found = {f"{network} coupled, classes": difference(rows, network, ("C", "NC"), CLASSES) for network in NETWORKS}
    found |= {
        f"{network} coupled, attributes": difference(rows, network, ("C", "NC"), ATTRIBUTES) for network in NETWORKS
    }
    for name in METHODS:
        for block in BLOCKS:
            found[f"{name}, {block}"] = paired(rows, f"ResNet {name}", "ResNet NC", block)
    return {name: mean_of(own) for name, own in found.items() if len(own) > 1}
