"""What the rows of ``attribute_graph`` say: accuracies beside predictors of their own, and which relations are found.

Recovery is the area under the ROC curve over all 780 pairs of attributes: is a pair that is related in truth scored
above one that is not? Ties count half. A graph has no negative weights, so it cannot show attributes that exclude each
other: half of the edges of ``dependence`` are of that kind, and ``positive`` is what it can find.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from mtlib.datasets.registry import DRAWN
from mtlib.experiments import attribute_graph, face_summary
from mtlib.experiments.face_scores import plain, unpacked
from mtlib.experiments.face_summary import as_lines, from_lines, paired
from mtlib.faces import structure
from mtlib.metrics.columns import auc
from mtlib.metrics.intervals import mean_of
from mtlib.seeds import generator
from mtlib.structure import programmes

Rows = Sequence[Mapping]  # of ``attribute_graph.train``
Samples = dict[str, list[float]]  # {estimate: [one per seed]}
Recovery = dict[str, dict[str, list[float]]]  # {score: {truth: [AUC per seed]}}

BASE = "single"
LEARNED = tuple(arm for arm, own in attribute_graph.ARMS.items() if own.graph in ("learned", "log degrees"))
NEAR = ("single", "known groups", "learned graph")  # whose distances a record has
LABELS = ("correlation", "partial correlation")
BIG = (
    "distances",
    "cosines",
    "relation",
    "logits",
    "graph",
    *LABELS,
)  # of a row; a record has their recovery and means
DIGITS = 4


def arms(rows: Rows) -> list[str]:
    """The arms that there are rows of, in the order of ``attribute_graph.ARMS``."""
    return face_summary.arms(rows, attribute_graph.ARMS)


def table(rows: Rows) -> pd.DataFrame:
    """A line per arm beside predictors of their own, see ``face_summary.table``."""
    return face_summary.table(rows, arms(rows), BASE, BASE)


# ------------------------------------------------------------------ recovery


def truths() -> dict[str, Tensor]:
    """What is known of drawn faces, {name: (40, 40) bool}: three graphs of related attributes.

    ``dependence``: which label helps to guess another one when all others are known. ``positive``: the part of it where
    both tend to be there together. ``pixels``: attributes that change the same pixels.
    """
    known = structure.load()
    return {"dependence": known.dependence, "positive": known.partial > 0, "pixels": known.pixels}


def scores(row: Mapping) -> dict[str, Tensor]:
    """How pairs of attributes are related, {score: (780,)}, more is more: by a row's network, and by its labels alone.

    Of the network a learned graph, named as the arm, and of its predictors "nearness" (minus the squared distance),
    "cosine", "relation" (|Omega|) and "logits" (correlations of what they say of test faces). Of the training labels
    both correlations, and their absolute values.
    """
    arm = row["arm"]
    found = {arm: _vector(row["graph"])} if arm in LEARNED and row["graph"] else {}
    found |= {f"{arm}: nearness": -_vector(row["distances"]), f"{arm}: cosine": _vector(row["cosines"])}
    found[f"{arm}: logits"] = _vector(row["logits"]).nan_to_num(0)
    if row["relation"]:
        found[f"{arm}: relation"] = _vector(row["relation"]).abs()
    for key in LABELS:
        own = _vector(row[key]).nan_to_num(0)
        found |= {f"|{key}|": own.abs(), key: own}
    return found


def areas(row: Mapping) -> dict[str, dict[str, float]]:
    """{score: {truth: area under its ROC curve}} of a row of drawn faces."""
    found = scores(row)
    every = torch.stack(list(found.values()), 1)  # 780 s
    lines: dict[str, dict[str, float]] = {name: {} for name in found}
    for truth, known in truths().items():
        pairs = known[*torch.triu_indices(*known.shape, 1)].long().unsqueeze(1).expand_as(every)
        for name, value in zip(found, plain(auc(every, pairs), DIGITS), strict=True):
            lines[name][truth] = value
    return lines


def recovery(rows: Rows) -> Recovery:
    """{score: {truth: [AUC per seed]}} of rows with "areas", as in ``Evidence``; of the labels once per seed."""
    found: Recovery = {}
    counted: set[tuple[str, int]] = set()
    for row in ordered(rows):
        for score, own in row.get("areas", {}).items():
            if (score, row["seed"]) not in counted:
                counted.add((score, row["seed"]))
                for truth, value in own.items():
                    found.setdefault(score, {}).setdefault(truth, []).append(value)
    return found


def ordered(rows: Rows) -> list[Mapping]:
    """Rows that did not diverge, by arm and seed."""
    place = {arm: at for at, arm in enumerate(attribute_graph.ARMS)}
    there = [row for row in rows if not row["diverged"]]
    return sorted(there, key=lambda row: (place[row["arm"]], row["seed"]))


def _vector(values: Sequence[float | None]) -> Tensor:
    return torch.tensor([float("nan") if value is None else value for value in values], dtype=torch.double)


# ------------------------------------------------------------------ record


@dataclass(frozen=True)
class Evidence:
    """Rows without their matrices, and what those said.

    rows: as trained, less the matrices; of drawn faces with "areas", see there.
    maps: {title: (40, 40)} means over the seeds, 0 on the diagonal: learned graphs by their arm, "<arm>: nearness"
        (minus the squared distances, in units of their mean) and the training labels' two correlations.
    """

    rows: list[dict]
    maps: dict[str, np.ndarray]

    @property
    def recovery(self) -> Recovery:
        """{score: {truth: [AUC per seed]}}, empty where no truth is known."""
        return recovery(self.rows)


def gather(rows: Rows) -> Evidence:
    """The evidence of rows as they come out of training."""
    slim = []
    for row in rows:
        own = {key: value for key, value in row.items() if key not in BIG}
        if row["data"] == DRAWN and not row["diverged"]:
            own["areas"] = areas(row)
        slim.append(own)
    return Evidence(slim, mean_maps(rows))


def mean_maps(rows: Rows) -> dict[str, np.ndarray]:
    """The maps of ``Evidence``; NaN where a seed's labels never vary."""
    found: dict[str, dict[int, Tensor]] = {}
    for row in ordered(rows):
        arm = row["arm"]
        own = {arm: row["graph"]} if arm in LEARNED and row["graph"] else {}
        if arm in NEAR:
            own[f"{arm}: nearness"] = [-value for value in row["distances"]]
        for title, values in (own | {key: row[key] for key in LABELS}).items():  # labels: of any arm of the seed
            found.setdefault(title, {})[row["seed"]] = unpacked(values).fill_diagonal_(0)
    return {title: torch.stack(list(own.values())).mean(0).numpy() for title, own in found.items()}


def to_record(evidence: Evidence) -> dict[str, object]:
    """The evidence as a record holds it; ``from_record`` undoes it up to the fourth digit."""
    return {"rows": evidence.rows, "maps": {title: as_lines(own) for title, own in evidence.maps.items()}}


def from_record(recorded: Mapping) -> Evidence:
    """The evidence that ``to_record`` packed."""
    return Evidence(recorded["rows"], {title: from_lines(own) for title, own in recorded["maps"].items()})


# ------------------------------------------------------------------ claims

ACCURACIES = {
    "groups-single": ("known groups", BASE),
    "groups-shuffled": ("known groups", "groups shuffled"),
    "graph-single": ("learned graph", BASE),
    "groups-graph": ("known groups", "learned graph"),
}
LIGHT = ", a tenth"  # of the printed constants


def samples(rows: Rows) -> Samples:
    """Every estimate that mtfap.toml asks for and the rows of ``Evidence`` allow, one value per seed.

    With ", a tenth" behind them, of arms with a tenth of the printed constants. "recovery/graph-signed correlation" is
    no claim: of positive edges the labels' signed correlations know more than their absolute values, which the claim
    compares with.
    """
    rows = ordered(rows)
    found = {key: paired(rows, *pair) for key, pair in ACCURACIES.items()}
    for key, pair in ACCURACIES.items():
        found[key + LIGHT] = paired(rows, *(arm if arm == BASE else arm + LIGHT for arm in pair))
    graphs = [row["areas"] for row in rows if row["arm"] == "learned graph" and row.get("areas")]
    found["recovery/graph"] = [100 * (own["learned graph"]["positive"] - 0.5) for own in graphs]
    for key, score in (("graph-correlation", "|correlation|"), ("graph-signed correlation", "correlation")):
        found[f"recovery/{key}"] = [100 * (own["learned graph"]["positive"] - own[score]["positive"]) for own in graphs]
    return {key: values for key, values in found.items() if values}


def comparisons(rows: Rows) -> Samples:
    """The differences beside the printed ones, {comparison: [points per seed]}."""
    found = samples(rows)
    told = {
        "known groups\nminus learned graph": "groups-graph",
        "known groups\nminus shuffled groups": "groups-shuffled",
        "the same, a tenth\nof the weights": "groups-shuffled" + LIGHT,
    }
    return {title: found[key] for title, key in told.items() if key in found}


SHOWN = ("learned graph", "log degrees", "single: nearness", "single: relation", "single: logits")
BASELINES = ("|correlation|", "|partial correlation|", "partial correlation")


def shown(found: Recovery) -> Recovery:
    """The scores that the figure has, of those that there are: of networks, then of labels alone."""
    return {score: found[score] for score in (*SHOWN, *BASELINES) if score in found}


def printed_edge(seed: int) -> float:
    """The largest edge that the printed graph step finds for random predictors in two clusters (M-1)."""
    draw = generator("printed edge", seed)
    centres = torch.randn(8, 2, generator=draw).double()
    w = centres[:, [0] * 4 + [1] * 4] + 0.2 * torch.randn(8, 8, generator=draw).double()
    return float(programmes.printed(w).graph.max())


def scoreboard(rows: Rows) -> dict[str, object]:
    """The arms for the side-by-side notebook: gain over the same network with equal weights and no structure."""
    gains = {arm: paired(rows, arm, BASE) for arm in arms(rows) if arm != BASE}
    return {arm: {"gain over single": mean_of(gain)} for arm, gain in gains.items() if len(gain) > 1}
