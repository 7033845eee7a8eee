"""What the rows of ``dmm_table`` say: seven variants, ingredients one by one, thresholds, weights, many weightings."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from mtlib.experiments import dmm_printed, face_summary
from mtlib.experiments.dmm_arms import (
    ALONE,
    ARMS,
    CONTROLS,
    DYNAMIC,
    EQUAL,
    READINGS,
    SCALED,
    SGD,
    SINGLE,
    UNIFORM,
    VARIANTS,
)
from mtlib.experiments.dmm_family import SCHEMES, family, heading, readings
from mtlib.experiments.dmm_scores import accuracies, paired
from mtlib.experiments.dmm_training import faster, focus, summed
from mtlib.experiments.face_summary import spelled
from mtlib.faces.names import ATTRIBUTES
from mtlib.metrics.intervals import mean_of
from mtlib.paths import repository

Rows = Sequence[Mapping]  # of ``dmm_table.train``
Samples = dict[str, list[float]]  # {estimate: [one per seed]}
Choice = tuple[str, str]  # an arm and its thresholds

PARTS = {"FLD": "landmarks", "DW": "weights", "AT": "thresholds", "AG": "groups"}
# The smallest gain over the baseline, and the largest of the others, are over these.
OTHERS = tuple(name for name in VARIANTS if name != "Baseline")
KEPT = {  # which arms' rows a notebook's record has
    "03_dmm_cnn": (*dict.fromkeys(arm for arm, _ in VARIANTS.values()), *CONTROLS, *SINGLE),
    "03b_weighting": (*SCHEMES.values(), *READINGS, *SGD, *SCALED),
}


def arms(rows: Rows) -> list[str]:
    """The arms that there are rows of, in the order of ``dmm_arms.ARMS``."""
    return face_summary.arms(rows, ARMS)


# ------------------------------------------------------------------ Table 1, Figs. 3 and 4


def variants(rows: Rows) -> Samples:
    """{variant: gain over Baseline in points, one per seed}."""
    found = {name: paired(rows, VARIANTS[name], VARIANTS["Baseline"]) for name in OTHERS}
    return {name: values for name, values in found.items() if values}


def table1(rows: Rows) -> pd.DataFrame:
    """A line per variant: what it has, our accuracy and gain, the gain on CelebA that is printed or follows (D-16)."""
    parts = pd.read_csv(repository() / "data" / "papers" / "dmm_table1_variants.csv").set_index("variant")
    theirs, lines = dmm_printed.gains(), {}
    for name, choice in VARIANTS.items():
        ticks = {title: "yes" if parts.loc[name, short] else "" for short, title in PARTS.items()}
        own = list(accuracies(rows, choice).values())
        gain = "–" if name == "Baseline" else spelled(paired(rows, choice, VARIANTS["Baseline"]), sign=True)
        told = {"n": len(own), heading(rows): spelled(own), "gain over Baseline": gain}
        told["CelebA, printed or derived gain"] = f"{theirs[name]:+.2f}" if name in theirs else "–"
        lines[name] = ticks | told
    return pd.DataFrame(lines).T


def by_attribute(rows: Rows, first: Choice, second: Choice) -> Samples:
    """{attribute: first minus second in points, one per seed}, for Figs. 3 and 4."""
    one, other = accuracies(rows, first, "by attribute"), accuracies(rows, second, "by attribute")
    seeds = [seed for seed in one if seed in other]
    return {name: [one[seed][at] - other[seed][at] for seed in seeds] for at, name in enumerate(ATTRIBUTES)}


# How ingredients are called that differ in more than their name says.
SPOKEN = {
    "pyramid": "branches, over one without pyramid",
    "branches": "branches, over one with pyramid",
    "right groups": "groups, over exchanged ones",
}


def ingredients(rows: Rows) -> Samples:
    """What each ingredient is worth by itself, {ingredient: points, one per seed}; weights equal unless it is them.

    "pyramid" is two branches over one that has no pyramid and, as the objective one, a layer less.
    """
    whole = (EQUAL, "fixed")
    found = {
        "landmarks": paired(rows, whole, ("equal, attributes only", "fixed")),
        "pyramid": paired(rows, whole, ("equal, no pyramid", "fixed")),
        "branches": paired(rows, whole, ("equal, one branch", "fixed")),
        "right groups": paired(rows, whole, ("equal, groups swapped", "fixed")),
        "dynamic weights": paired(rows, (DYNAMIC, "fixed"), whole),
        "adaptive thresholds": paired(rows, (EQUAL, "adaptive"), whole),
        "shared minus alone": shared(rows),
    }
    return {name: values for name, values in found.items() if values}


def shared(rows: Rows) -> list[float]:
    """Accuracy of the four attributes in one network of forty minus in networks of their own, one per seed."""
    together = accuracies(rows, (EQUAL, "fixed"), "by attribute")
    alone = {name: accuracies(rows, (f"alone: {name}", "fixed")) for name in ALONE}
    seeds = [seed for seed in together if all(seed in own for own in alone.values())]
    places = [ATTRIBUTES.index(name) for name in ALONE]
    return [
        float(np.mean([together[seed][at] - alone[name][seed] for at, name in zip(places, ALONE, strict=True)]))
        for seed in seeds
    ]


def thresholds(rows: Rows, arm: str = DYNAMIC) -> pd.DataFrame:
    """A line per kind of threshold: accuracy, difference to 0, balanced accuracy, attributes never predicted."""
    lines = {}
    for kind in ("fixed", "adaptive", "matched", "most accurate"):
        lines[kind] = {
            "accuracy (%)": spelled(list(accuracies(rows, (arm, kind)).values())),
            "to fixed": "–" if kind == "fixed" else spelled(paired(rows, (arm, kind), (arm, "fixed")), sign=True),
            "balanced (%)": spelled(list(accuracies(rows, (arm, kind), "balanced").values())),
            "never predicted": spelled([float(n) for n in accuracies(rows, (arm, kind), "never").values()]),
        }
    return pd.DataFrame(lines).T


# ------------------------------------------------------------------ claims, record


def samples(rows: Rows) -> Samples:
    """Every estimate that dmm.toml and dmm_weighting.toml ask for and the rows allow, one value per seed."""
    found: Samples = {}
    base = VARIANTS["Baseline"]
    for first, second in (
        *(("DMM-DW-FIX", "Baseline"), ("DMM-EQ-AT", "Baseline"), ("DMM-CNN", "DMM-SPP"), ("DMM-CNN", "DMM-FAC")),
        *(("DMM-DW-FIX", "DMM-EQ-FIX"), ("DMM-EQ-AT", "DMM-EQ-FIX")),
    ):
        found[f"{first} minus {second}"] = paired(rows, VARIANTS[first], VARIANTS[second])
    each = {name: accuracies(rows, choice) for name, choice in VARIANTS.items()}
    seeds = [seed for seed in accuracies(rows, base) if all(seed in own for own in each.values())]
    found["least variant minus Baseline"] = [
        min(each[name][seed] for name in OTHERS) - each["Baseline"][seed] for seed in seeds
    ]
    found["DMM-CNN minus the best other"] = [
        each["DMM-CNN"][seed] - max(own[seed] for name, own in each.items() if name != "DMM-CNN") for seed in seeds
    ]
    found |= {"weights/late with loss": focus(rows), "loss/equal minus dynamic": faster(rows)}
    own = {kind: (DYNAMIC, kind) for kind in ("fixed", "adaptive", "matched", "most accurate")}
    found["thresholds/fixed minus matched"] = paired(rows, own["fixed"], own["matched"])
    found["thresholds/most accurate minus adaptive"] = paired(rows, own["most accurate"], own["adaptive"])
    found |= {f"ingredients/{name}": values for name, values in ingredients(rows).items()}
    found |= {f"family/{name}": values for name, values in family(rows).items()}
    for other in (UNIFORM, "DWA", "AW"):
        found[f"trend minus {other}"] = paired(rows, (DYNAMIC, "adaptive"), (SCHEMES[other], "adaptive"))
    found |= {f"readings/{name}": values for name, values in readings(rows).items()}
    return {key: values for key, values in found.items() if values}


def scoreboard(rows: Rows) -> dict[str, object]:
    """The arms for the side-by-side notebook: gain over equal weights on the same network, thresholds adaptive."""
    found = {f"{name} over uniform": values for name, values in family(rows).items()}
    found |= {f"{name} over Baseline": values for name, values in variants(rows).items()}
    found |= {"one network over four of their own": shared(rows)}
    return {name: mean_of(values) for name, values in found.items() if len(values) > 1}


def slim(rows: Rows) -> list[dict]:
    """Rows for a record: of traced ones the sums, and the curves themselves of the first seed only."""
    first = min((row["seed"] for row in rows), default=0)
    found = []
    for row in rows:
        own = dict(row)
        if "traces" in row:
            own |= summed(row)
            if row["seed"] != first:
                own = {key: value for key, value in own.items() if key not in ("traces", "outputs")}
        found.append(own)
    return found
