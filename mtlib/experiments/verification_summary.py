"""What the rows of ``verification_table`` say: rates of the arms, their differences, curves, and rates by skin tone.

Rates are per cent and differences points; curves are shares from 0 to 1, as they are drawn.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from mtlib.experiments import verification_table
from mtlib.experiments.face_summary import by_seed, paired, spelled
from mtlib.experiments.verification_scores import DIGITS, EVERYBODY, GRID, TONES
from mtlib.experiments.verification_table import BASE
from mtlib.metrics.intervals import interval

Rows = Sequence[Mapping]  # of ``verification_table.train``
Samples = dict[str, list[float]]  # {estimate: [one per seed]}
Curve = dict[str, list[float]]

KEY = "true match at 1 %"
SHOWN = {"AUC": "AUC (%)", "equal error rate": "equal error rate (%)", KEY: "true match at 1 % (%)"}
DIFFERENCES = {
    "attributes, matched-identity": ("attributes, matched", BASE),
    "attributes-identity": ("attributes", BASE),
    "attributes, matched-attributes": ("attributes, matched", "attributes"),
    "usual-printed hinge": ("identity, usual hinge", BASE),
    "printed-balanced mean": ("identity, printed mean", BASE),
    "identity-pixels": (BASE, "pixels"),
}
WIDE = 100 * EVERYBODY  # per cent: the false-match rate of all pairs


def arms(rows: Rows) -> list[str]:
    """The arms that there are rows of, in the order of ``verification_table.ARMS``."""
    found = {row["arm"] for row in rows}
    return [arm for arm in verification_table.ARMS if arm in found]


def table(rows: Rows) -> pd.DataFrame:
    """A line per arm, as text: n, and AUC, equal error rate and true match at 1 %, each with its difference."""
    lines = {}
    for arm in arms(rows):
        line: dict[str, object] = {"n": len(by_seed(rows, arm, KEY))}
        for key, title in SHOWN.items():
            line[title] = spelled(list(by_seed(rows, arm, key).values()))
            line[f"{key}, to {BASE}"] = "–" if arm == BASE else spelled(paired(rows, arm, BASE, key), sign=True)
        lines[arm] = line
    return pd.DataFrame(lines).T


def samples(rows: Rows) -> Samples:
    """Every estimate that a claim may ask for and these rows allow, points, one value per seed.

    "verify/<one>-<other>": true match at 1 %. "verify/within-all": the false-match rate of pairs within a third by skin
    tone, minus the 1 % of all pairs, and "verify/dark-light", the dark third minus the light one, of arm "identity".
    """
    rows = ordered(rows)
    found = {f"verify/{key}": paired(rows, *pair, KEY) for key, pair in DIFFERENCES.items()}
    within = by_seed(rows, BASE, "within groups")
    found["verify/within-all"] = [own["rate"] - WIDE for own in within.values() if _there(own)]
    thirds = by_seed(rows, BASE, "false match by tone").values()
    found["verify/dark-light"] = [
        own["dark"]["rate"] - own["light"]["rate"]
        for own in thirds
        if own and _there(own.get("dark")) and _there(own.get("light"))
    ]
    return {key: values for key, values in found.items() if values}


def gains(rows: Rows, key: str = KEY) -> Samples:
    """{arm: its difference to arm "identity", points, one per seed that both have}, arms without any left out."""
    found = {arm: paired(ordered(rows), arm, BASE, key) for arm in arms(rows) if arm != BASE}
    return {arm: values for arm, values in found.items() if values}


def curves(rows: Rows) -> dict[str, Curve]:
    """The ROC curve of each arm that was not lost: {arm: {"grid", "mean", "low", "high"}}, shares from 0 to 1.

    low and high are ends of the 95 % interval of the mean over seeds, at each false-match rate on its own, cut at 0 and
    1; of one seed they are the curve itself.
    """
    found = {arm: list(by_seed(rows, arm, "roc").values()) for arm in arms(rows)}
    return {arm: _curve(own) for arm, own in found.items() if own}


def groups(rows: Rows) -> dict[str, dict[str, list[float]]]:
    """{arm: {third by skin tone: [false-match rate, per cent, per seed]}}, arms without any left out."""
    found = {}
    for arm in arms(rows):
        every = [own for own in by_seed(ordered(rows), arm, "false match by tone").values() if own]
        named = {name: [own[name]["rate"] for own in every if _there(own.get(name))] for name in TONES}
        if any(named.values()):
            found[arm] = named
    return found


def ordered(rows: Rows) -> list[Mapping]:
    """Rows that did not diverge, by arm and seed."""
    place = {arm: at for at, arm in enumerate(verification_table.ARMS)}
    there = [row for row in rows if not row["diverged"]]
    return sorted(there, key=lambda row: (place[row["arm"]], row["seed"]))


def photographs(rows: Rows) -> pd.DataFrame:
    """Rows of ``verification_pairs.real_pairs``, a line per arm; with the first seed's interval over people."""
    lines = {}
    for arm in dict.fromkeys(row["arm"] for row in rows):
        own = [row for row in rows if row["arm"] == arm]
        line: dict[str, object] = {"n": len(own)}
        line |= {title: spelled([row[key] for row in own]) for key, title in SHOWN.items()}
        ends = next((row["interval"] for row in own if row["interval"]), None)
        line["over people, first seed"] = f"{ends[0]:.1f} to {ends[1]:.1f}" if ends else "–"
        lines[arm] = line
    return pd.DataFrame(lines).T


def photograph_curves(rows: Rows) -> dict[str, Curve]:
    """``curves`` of the rows of ``verification_pairs.real_pairs``, in the order of their arms."""
    found = dict.fromkeys(row["arm"] for row in rows)
    return {arm: _curve([row["roc"] for row in rows if row["arm"] == arm]) for arm in found}


# ------------------------------------------------------------------ record


def to_record(rows: Rows) -> list[dict]:
    """Rows as a record holds them: each curve as one line of text. ``from_record`` undoes it."""
    return [
        {key: " ".join(f"{value:.4f}" for value in own) if key == "roc" else own for key, own in row.items()}
        for row in rows
    ]


def from_record(recorded: Rows) -> list[dict]:
    """The rows that ``to_record`` packed."""
    return [
        {key: [float(value) for value in own.split()] if key == "roc" else own for key, own in row.items()}
        for row in recorded
    ]


def _curve(rates: Sequence[Sequence[float]]) -> Curve:
    """Of one list of rates at ``GRID`` per seed."""
    own = np.array(rates, dtype=float)  # seeds x POINTS
    low, high = zip(*map(_ends, own.T), strict=True)
    lines = {"mean": own.mean(0), "low": np.clip(low, 0, 1), "high": np.clip(high, 0, 1)}
    return {"grid": list(GRID)} | {name: line.round(DIGITS).tolist() for name, line in lines.items()}


def _ends(values: np.ndarray) -> tuple[float, float]:
    if len(values) < 2:
        return float(values[0]), float(values[0])
    found = interval(values.tolist())
    return found.low, found.high


def _there(rate: Mapping | None) -> bool:
    return rate is not None and rate["rate"] is not None
