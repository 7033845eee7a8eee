"""What the rows of ``face_table`` say: Table II with error bars, Fig. 5, Fig. 6 and what forty-one spaces know."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch

from mtlib.claims import interval, mean_of
from mtlib.experiments import face_table
from mtlib.experiments.face_scores import KINDS, unpacked
from mtlib.faces.names import ATTRIBUTES
from mtlib.paths import repository

Rows = Sequence[Mapping]  # of ``face_table.train``
Samples = dict[str, list[float]]  # {estimate: [one per seed]}

BASE = "MT"
MAPPED = ("MT", "SOS", "SOS-SE")
NAMES = {"MT": "CNN8-MT", "SOS": "SOS", "SOS-SE": "SOS-SE"}  # as the figures call them
TITLES = {  # of Table II's rows in its figure
    "SOS, no terms": "SOS(512, 32)",
    "SOS, (4)": "+ (4)",
    "SOS, (4)–(5)": "+ (4) (5)",
    "SOS, (4)–(6)": "+ (6)",
    "SOS": "+ (7): all",
}
STEPS = (  # pairs whose difference a claim is about
    ("SOS, (4)", "SOS, no terms"),
    ("SOS, (4)–(5)", "SOS, (4)"),
    ("SOS, (4)–(6)", "SOS, (4)–(5)"),
    ("SOS", "SOS, (4)–(6)"),
    ("SOS", "SOS, no terms"),
    ("SOS", "SOS(32, 44)"),
    ("SOS", "SOS(1472, 8)"),
)
PROBED = ("SOS", "SOS, (4)–(5)", "SOS, no terms")
BIG = ("map plain", "map balanced", "truth plain", "truth balanced", "probes")  # of a row; a record has their means


def by_seed(rows: Rows, arm: str, key: str) -> dict[int, object]:
    """{seed: value} of an arm's networks, those that diverged left out."""
    return {row["seed"]: row[key] for row in rows if row["arm"] == arm and not row["diverged"]}


def paired(rows: Rows, first: str, second: str, key: str = "accuracy") -> list[float]:
    """First minus second arm, one per seed that both have."""
    one, other = by_seed(rows, first, key), by_seed(rows, second, key)
    return [one[seed] - other[seed] for seed in one if seed in other]


def arms(rows: Rows, known: Iterable[str] = face_table.ARMS) -> list[str]:
    """The arms that there are rows of, in the order of all that are known."""
    found = {row["arm"] for row in rows}
    return [arm for arm in known if arm in found]


def printed() -> pd.DataFrame:
    """Table II as printed, a row per row: "arm", "accuracy", and "difference" to the first row in points."""
    table = pd.read_csv(repository() / "data" / "papers" / "sos_table2.csv")
    table.insert(0, "arm", face_table.ROWS)
    return table.assign(difference=(table["accuracy"] - table["accuracy"][0]).round(2))


def ablation(rows: Rows) -> tuple[Samples, dict[str, float]]:
    """Table II for its figure: {row: our differences to the first, one per seed}, {row: the printed difference}."""
    ours = {arm: values for arm, values in differences(rows).items() if arm in face_table.TABLE}
    theirs = printed().drop_duplicates("arm").set_index("arm")["difference"].drop(BASE).to_dict()
    return tuple({TITLES.get(arm, arm): own for arm, own in side.items()} for side in (ours, theirs))


def differences(rows: Rows) -> Samples:
    """{arm: paired differences to the baseline, points}, for every arm but it."""
    found = {arm: paired(rows, arm, BASE) for arm in arms(rows) if arm != BASE}
    return {arm: values for arm, values in found.items() if values}


def table2(rows: Rows) -> pd.DataFrame:
    """Table II: see ``table``."""
    return table(rows, arms(rows), BASE, "the baseline")


def table(rows: Rows, names: Sequence[str], base: str, called: str) -> pd.DataFrame:
    """A line per arm: n, accuracy, difference to the base, balanced accuracy and its difference, as text.

    Args:
        names: of the arms.  base: the arm to compare with.  called: what the columns call it.
    """
    lines = {}
    for arm in names:
        line: dict[str, object] = {"n": len(by_seed(rows, arm, "accuracy"))}
        for key, measure, title in (("accuracy", "accuracy", ""), ("balanced", "balanced", "balanced, ")):
            line[f"{measure} (%)"] = spelled(list(by_seed(rows, arm, key).values()))
            line[f"{title}to {called}"] = "–" if arm == base else spelled(paired(rows, arm, base, key), sign=True)
        lines[arm] = line
    return pd.DataFrame(lines).T


def spelled(values: Sequence[float], *, sign: bool = False) -> str:
    """A mean with its 95 % interval; the bare number where there is one, a dash where there is none."""
    if len(values) < 2:
        return f"{values[0]:{'+' if sign else ''}.2f}" if values else "–"
    found = interval(values)
    return str(found) if sign else f"{found.mean:.2f} [{found.low:.2f}, {found.high:.2f}]"


def samples(rows: Rows) -> Samples:
    """Every estimate that sos_attributes.toml asks for and these rows allow, one value per seed."""
    found = {f"{arm}-MT": values for arm, values in differences(rows).items()}
    for first, second in STEPS:
        found[f"{first}-{second}"] = paired(rows, first, second)
    for kind in KINDS:
        found |= {f"map {kind}/{arm}-MT": _closer(rows, arm, kind) for arm in MAPPED[1:]}
    for arm in ("SOS", "SOS, (4)–(5)"):
        found[f"probe/own-others, {arm}"] = [100 * (each["own"] - each["others"]) for each in known(rows, arm).values()]
    both = known(rows, "SOS"), known(rows, "SOS, (4)–(5)")
    found["probe/game empties common"] = [
        100 * (both[1][seed]["common"] - both[0][seed]["common"]) for seed in both[0] if seed in both[1]
    ]
    found["per attribute/SOS-SE-MT"] = _least(rows)
    return {key: values for key, values in found.items() if values}


def _closer(rows: Rows, arm: str, kind: str) -> list[float]:
    """By how much an arm's map is nearer to the generating one than the baseline's, in hundredths of a correlation."""
    one, other = (distances(rows, each).get(kind, {}) for each in (BASE, arm))
    return [100 * (one[seed] - other[seed]) for seed in one if seed in other]


def _least(rows: Rows) -> list[float]:
    """How many of forty attributes SOS-SE tells better than the baseline, one per seed."""
    one, other = (by_seed(rows, arm, "by attribute") for arm in ("SOS-SE", BASE))
    return [float(sum(a > b for a, b in zip(one[seed], other[seed], strict=True))) for seed in one if seed in other]


def per_attribute(rows: Rows, arm: str = "SOS-SE") -> Samples:
    """{attribute: an arm minus the baseline, points, one per seed}."""
    one, other = by_seed(rows, arm, "by attribute"), by_seed(rows, BASE, "by attribute")
    seeds = [seed for seed in one if seed in other]
    return {name: [one[seed][j] - other[seed][j] for seed in seeds] for j, name in enumerate(ATTRIBUTES)}


def sizes(rows: Rows) -> dict[str, tuple[int, int, list[float]]]:
    """{model: (parameters for prediction, for training, accuracy per seed)} of the models of Fig. 5."""
    found = {}
    for arm in (arm for arm in MAPPED if by_seed(rows, arm, "accuracy")):
        counted = next(iter(by_seed(rows, arm, "parameters").values()))
        found[NAMES[arm]] = (*counted, list(by_seed(rows, arm, "accuracy").values()))
    return found


def distances(rows: Rows, arm: str) -> dict[str, dict[int, float]]:
    """{kind: {seed: root mean square difference between an arm's map and the population's}}."""
    return {kind: by_seed(rows, arm, f"distance {kind}") for kind in KINDS}


def far(rows: Rows) -> dict[str, Samples]:
    """{model: {kind: [distance of its map to the population's, per seed]}}."""
    return {
        NAMES[arm]: {kind: list(own.values()) for kind, own in distances(rows, arm).items()}
        for arm in MAPPED
        if by_seed(rows, arm, "accuracy")
    }


def rates(rows: Rows) -> dict[str, dict[float, list[float | None]]]:
    """{fake heads' optimiser: {weight of (7): [accuracy per seed, None where it diverged]}}, on equal seeds."""
    found: dict[str, dict[float, list[float | None]]] = {"Adam": {}, "SGD": {}}
    seeds = {row["seed"] for row in rows if face_table.ARMS[row["arm"]].sgd}
    for row in rows:
        arm = face_table.ARMS[row["arm"]]
        if row["seed"] in seeds and (arm.sgd or row["arm"] == "SOS"):
            own = found["SGD" if arm.sgd else "Adam"].setdefault(arm.weights[3], [])
            own.append(None if row["diverged"] else row["accuracy"])
    return found


def mean_maps(rows: Rows) -> tuple[dict[str, np.ndarray], dict[str, dict[str, np.ndarray]]]:
    """The labels' maps {kind: (40, 40)} and the models' {model: {kind: (40, 40)}}, means over the seeds.

    An entry is NaN where a seed's network never (or always) predicts one of the two attributes.
    """

    def mean(arm: str, key: str) -> np.ndarray:
        return torch.stack([unpacked(values) for values in by_seed(rows, arm, key).values()]).mean(0).numpy()

    there = [arm for arm in MAPPED if by_seed(rows, arm, "accuracy")]
    truth = {kind: mean(there[0], f"truth {kind}") for kind in KINDS}
    return truth, {NAMES[arm]: {kind: mean(arm, f"map {kind}") for kind in KINDS} for arm in there}


def probed(rows: Rows, wanted: Sequence[str]) -> dict[str, np.ndarray]:
    """{arm: (1 + 40, 40) AUC of probes, mean over the seeds}, of those arms that have them."""
    found = {}
    for arm in wanted:
        own = [row["probes"] for row in rows if row["arm"] == arm and row.get("probes")]
        if own:
            found[arm] = torch.tensor(np.array(own, dtype=float)).nanmean(0).numpy()  # numpy's would warn of empty ones
    return found


def known(rows: Rows, arm: str) -> dict[int, dict[str, float]]:
    """{seed: mean AUC "common", "own" (a space of its own task), "others"} of an arm with spaces."""
    return {row["seed"]: row["known"] for row in rows if row["arm"] == arm and row.get("known")}


def settings(rows: Rows) -> list[dict[str, object]]:
    """What the explorer goes through: sizes, weight of the game, difference to the baseline and probes."""
    found = []
    for arm in arms(rows):
        one = face_table.ARMS[arm]
        told = known(rows, arm).values()
        if not told or one.sgd or one.heads_follow or one.weights[2] != one.weights[3] or not one.weights[1]:
            continue
        probes = {name: float(np.mean([each[name] for each in told])) for name in ("common", "own", "others")}
        own = {"common": one.common, "specific": one.specific, "lambda": one.weights[2]}
        found.append(own | {"difference": paired(rows, arm, BASE), "probes": probes})
    return found


def told(evidence: "Evidence") -> str:
    """What the rows were learned from, in words."""
    row = evidence.rows[0]
    return f"{'CelebA' if row['data'] == 'celeba' else 'drawn faces'}, {row['size']} pixels"


@dataclass(frozen=True)
class Evidence:
    """Rows without their large tables, and those tables' means over the seeds.

    truth: {kind: (40, 40)} of the test labels.  maps: {model: {kind: (40, 40)}}, NaN where a seed's network never (or
    always) predicts one of the two.  probes: {arm: (1 + 40, 40)}.
    """

    rows: list[dict]
    truth: dict[str, np.ndarray]
    maps: dict[str, dict[str, np.ndarray]]
    probes: dict[str, np.ndarray]


def gather(rows: Rows) -> Evidence:
    """The evidence of rows as they come out of training."""
    slim = [{key: value for key, value in row.items() if key not in BIG} for row in rows]
    return Evidence(slim, *mean_maps(rows), probed(rows, PROBED))


def to_record(evidence: Evidence) -> dict[str, object]:
    """The evidence as a record holds it; ``from_record`` undoes it up to the fourth digit."""
    listed = {
        "truth": {kind: as_lines(own) for kind, own in evidence.truth.items()},
        "maps": {name: {kind: as_lines(own) for kind, own in kinds.items()} for name, kinds in evidence.maps.items()},
        "probes": {arm: as_lines(own) for arm, own in evidence.probes.items()},
    }
    return {"rows": evidence.rows} | listed


def from_record(recorded: Mapping) -> Evidence:
    """The evidence that ``to_record`` packed."""
    return Evidence(
        recorded["rows"],
        {kind: from_lines(own) for kind, own in recorded["truth"].items()},
        {name: {kind: from_lines(own) for kind, own in kinds.items()} for name, kinds in recorded["maps"].items()},
        {arm: from_lines(own) for arm, own in recorded["probes"].items()},
    )


def as_lines(matrix: np.ndarray) -> list[str]:
    """A line of text per row of a matrix: a record with a line per number would be thousands of lines long."""
    return [" ".join(f"{value:.4f}" for value in line) for line in matrix]


def from_lines(lines: Sequence[str]) -> np.ndarray:
    """The matrix that ``as_lines`` wrote, to the fourth digit."""
    return np.array([[float(value) for value in line.split()] for line in lines])


def scoreboard(rows: Rows) -> dict[str, object]:
    """The rows of SOS and SOS-SE for the side-by-side notebook: gain over equal weights, and cost."""
    board = {}
    for arm in ("SOS", "SOS-SE"):
        gain = paired(rows, arm, BASE)
        if gain:
            cost = by_seed(rows, arm, "multiply-adds"), by_seed(rows, BASE, "multiply-adds")
            ratio = next(iter(cost[0].values())) / next(iter(cost[1].values()))
            board[arm] = {"gain over MT": mean_of(gain), "multiply-adds over MT": ratio}
    return board
