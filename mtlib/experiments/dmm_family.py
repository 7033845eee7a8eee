"""Weightings beside each other on DMM-CNN's network (Table 2): what each is worth over equal, tuned weights."""

import json
from collections.abc import Mapping, Sequence

import pandas as pd

from mtlib.experiments.dmm_arms import DYNAMIC, EQUAL, FAMILY, READINGS, SCALED, SGD, TREND, UNIFORM
from mtlib.experiments.dmm_scores import accuracies, paired
from mtlib.experiments.dmm_table import NAMES
from mtlib.experiments.face_summary import spelled
from mtlib.paths import repository

Rows = Sequence[Mapping]  # of ``dmm_table.train``
Samples = dict[str, list[float]]  # {estimate: [one per seed]}

SCHEMES = {UNIFORM: EQUAL, TREND: DYNAMIC} | {name: name for name in FAMILY}  # {weighting: its arm}
PRINTED = {"UW": UNIFORM, "DWA [30]": "DWA", "AW [38]": "AW", "proposed": TREND}


def heading(rows: Rows) -> str:
    """Of the column with accuracies: what the rows were tested on."""
    return f"{', '.join(dict.fromkeys(NAMES[row['data']] for row in rows))}: accuracy (%)"


def family(rows: Rows) -> Samples:
    """{weighting: gain over uniform in points, one per seed}, adaptive thresholds as in Table 2 (D-16)."""
    base = (SCHEMES[UNIFORM], "adaptive")
    found = {name: paired(rows, (arm, "adaptive"), base) for name, arm in SCHEMES.items() if name != UNIFORM}
    return {name: values for name, values in found.items() if values}


def table2(rows: Rows) -> pd.DataFrame:
    """A line per weighting: rate, accuracy, gain over uniform, and what the paper prints of the four that it has."""
    theirs = pd.read_csv(repository() / "data" / "papers" / "dmm_table2_weighting.csv").set_index("scheme")
    back, gains, lines = {own: name for name, own in PRINTED.items()}, family(rows), {}
    for name, arm in SCHEMES.items():
        own = list(accuracies(rows, (arm, "adaptive")).values())
        if not own:
            continue
        rate = next(row["rate"] for row in rows if row["arm"] == arm)
        line = {"n": len(own), "rate": f"{rate:g}", heading(rows): spelled(own)}
        line["gain over uniform"] = "–" if name == UNIFORM else spelled(gains.get(name, []), sign=True)
        for short, title in (("celeba", "CelebA"), ("lfwa", "LFWA")):
            value = theirs[f"mean_acc_{short}"].get(back.get(name))
            line[f"{title}, printed"] = "–" if value is None else f"{value:.2f}"
        lines[name] = line
    return pd.DataFrame(lines).T


def readings(rows: Rows) -> Samples:
    """{reading: points, one per seed}: other readings of Eq. (4) minus the default, and equal minus dynamic by SGD."""
    found = {name: paired(rows, (name, "adaptive"), (DYNAMIC, "adaptive")) for name in READINGS}
    equal, dynamic = SGD
    found["SGD, equal minus dynamic"] = paired(rows, (equal, "adaptive"), (dynamic, "adaptive"))
    return {name: values for name, values in found.items() if values}


def scaled(rows: Rows) -> pd.DataFrame:
    """Aggregators whose direction is forty times as long: gain over uniform, and the landmarks' error beside it."""
    names = [arm.split(",")[0] for arm in SCALED]
    lines = {}
    for arm in (EQUAL, *(one for name in names for one in (name, f"{name}, times 40"))):
        own = [row for row in rows if row["arm"] == arm and not row["diverged"]]
        if own:
            gain = paired(rows, (arm, "adaptive"), (EQUAL, "adaptive"))
            lines[arm] = {
                "n": len(own),
                "gain over uniform": "–" if arm == EQUAL else spelled(gain, sign=True),
                "landmark error (% of the width)": spelled([row["landmark error"] for row in own]),
            }
    return pd.DataFrame(lines).T


def band(rows: Rows) -> list[float]:
    """How far each seed of equal weights is from their mean, points."""
    own = list(accuracies(rows, (EQUAL, "adaptive")).values())
    return [value - sum(own) / len(own) for value in own]


def costs() -> dict[str, float]:
    """{weighting: cost of an update of forty tasks, in updates of equal weights}, as measured by a benchmark."""
    return json.loads((repository() / "data" / "costs" / "weighting.json").read_text())["40"]
