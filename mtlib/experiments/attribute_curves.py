"""How much the constants of Eqs. (3) and (14) decide on faces (Fig. 7), and which learned edges last.

Rows are those of ``attribute_graph``. An edge lasts if it is learned from the predictors of every seed: other faces,
other initial weights, another order.
"""

from collections.abc import Mapping, Sequence

import torch

from mtlib.experiments.attribute_graph import ARMS, CURVES
from mtlib.experiments.attribute_graph_summary import truths
from mtlib.experiments.face_scores import unpacked
from mtlib.experiments.face_summary import by_seed
from mtlib.structure.clusters import BETAS, path, stability

Rows = Sequence[Mapping]  # of ``attribute_graph.train``
Counts = dict[str, dict[str, int]]  # {"every seed", "some seeds": {"edges", "true"}}

# {constant: (field of an arm, the arm as printed, the arms that differ from it in this field alone)}
VARIED = {
    "γ (groups)": ("low_rank", "known groups", [arm for arm in CURVES if "γ" in arm]),
    "λ (groups)": ("sparse", "known groups", [arm for arm in CURVES if "λ" in arm]),
    "ξ (graph)": ("xi", "learned graph", ["learned graph, a tenth", *(arm for arm in CURVES if "ξ" in arm)]),
}
WANTED = tuple(dict.fromkeys(["single", *(arm for _, own, others in VARIED.values() for arm in (own, *others))]))
LITTLE = 1.0  # point of accuracy
FROM = "single"  # whose predictors graphs are learned from


def varied(rows: Rows) -> dict[str, dict[float, list[float]]]:
    """Fig. 7: {constant: {its value, ascending: [accuracy per seed]}}, the other constants as printed."""
    found = {}
    for constant, (field, own, others) in VARIED.items():
        values = {getattr(ARMS[arm], field): list(by_seed(rows, arm, "accuracy").values()) for arm in (own, *others)}
        found[constant] = {value: scores for value, scores in sorted(values.items()) if scores}
    return found


def printed() -> dict[str, float]:
    """{constant: the value that the paper found best}."""
    return {constant: getattr(ARMS[own], field) for constant, (field, own, _) in VARIED.items()}


def samples(rows: Rows) -> dict[str, list[float]]:
    """The estimates of mtfap_maps.toml: {"room/<constant>": [a point less the range of the accuracy, per seed]}."""
    found = {}
    for constant, (_, own, others) in VARIED.items():
        by_arm = [by_seed(rows, arm, "accuracy") for arm in (own, *others)]
        seeds = [seed for seed in by_arm[0] if all(seed in one for one in by_arm)]
        ranges = [max(one[seed] for one in by_arm) - min(one[seed] for one in by_arm) for seed in seeds]
        if ranges:
            found[f"room/{constant}"] = [LITTLE - one for one in ranges]
    return found


def accuracies(rows: Rows) -> list[dict]:
    """What a record keeps of the rows: arm, seed and accuracy."""
    return [
        {key: row[key] for key in ("arm", "seed", "diverged", "accuracy", "balanced") if key in row} for row in rows
    ]


def lasting(rows: Rows, arm: str = FROM, betas: Sequence[float] = BETAS) -> dict[str, Counts]:
    """Over beta: how many edges, after pruning, are there with every seed and with some only, and how many are true.

    True is a positive edge of what generates the labels of drawn faces. Graphs are learned from the arm's predictors.

    Returns:
        {beta: {"every seed": {"edges", "true"}, "some seeds": {"edges", "true"}}}, betas as text, as in a record.

    Raises:
        ValueError: fewer than two seeds of this arm.
    """
    distances = [unpacked(own).fill_diagonal_(0) for own in by_seed(rows, arm, "distances").values()]
    if len(distances) < 2:
        raise ValueError(f"which edges last is asked of two seeds or more of {arm!r}, got {len(distances)}")
    upper = torch.triu_indices(*distances[0].shape, 1)
    true = truths()["positive"][*upper]
    graphs = path(torch.stack(distances), betas)  # R K n n
    found = {}
    for k, beta in enumerate(betas):
        share = stability(graphs[:, k])[*upper]  # 780
        parts = {"every seed": share == 1, "some seeds": (share > 0) & (share < 1)}
        found[f"{beta:.6g}"] = {
            name: {"edges": int(own.sum()), "true": int((own & true).sum())} for name, own in parts.items()
        }
    return found


def chance() -> float:
    """Which share of all pairs is true."""
    positive = truths()["positive"]
    return positive[*torch.triu_indices(*positive.shape, 1)].double().mean().item()
