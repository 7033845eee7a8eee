"""Structure among forty attributes (MTFAP): groups that are given, graphs that are learned, each on several seeds.

The unit is a cell, one arm with one seed, in files of its own as in ``face_table``, whose plan and cells these are: on
drawn faces, where the graph that generates the labels is known, or by the same call on CelebA. Faces are in colour.

The network ends in a mean over places (M-21), as class activation maps need it. The paper's constants, gamma 1, lambda
0.01, xi 0.75 (M-18), belong to sums over tasks, which the course's losses are.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from mtlib.datasets.registry import DRAWN
from mtlib.experiments import face_scores, face_table, jobs
from mtlib.experiments.face_scores import TASK
from mtlib.experiments.face_table import Cell, cells, total
from mtlib.faces import structure
from mtlib.metrics.correlations import correlation
from mtlib.metrics.evaluate import outputs
from mtlib.networks import averaged
from mtlib.seeds import seeded
from mtlib.structure import Coupled, GraphStep, Grouped, Partition, Ridge, learned_groups, relation, rules
from mtlib.structure import squared_distances as squares
from mtlib.structure.laplacian import relative
from mtlib.structure.penalties import effective_rank
from mtlib.structure.predictors import Predictors
from mtlib.tasks import Dataset, Task
from mtlib.updates import Alternate, Descend, Update

__all__ = [
    "ARMS",
    "CURVES",
    "TABLE",
    "Arm",
    "Cell",
    "Plan",
    "build",
    "cells",
    "partial_correlation",
    "run_cell",
    "total",
    "train",
]

COLOURS = 3
DIGITS = 6  # of packed matrices, which are ranked: ties are not to come from rounding
TERMS = ("ridge", "sparse", "low rank", "coupling")
SHUFFLE = 5  # names the deal of the shuffled groups, the same for all seeds
RIDGE = 0.01  # on the labels' correlations before they are inverted: some columns nearly depend on others
TOLERANCE = 0.01  # share of the largest singular value below which a basis has no direction


@dataclass(frozen=True)
class Arm:
    """One setting.

    Args:
        method: ``ridge``, Eq. (1); ``grouped``, Eq. (3); ``coupled``, Eq. (14).
        shuffled: groups of the same sizes with the names dealt anew.
        graph: of ``coupled``. ``learned`` and ``log degrees`` after every epoch; ``none`` is what the printed graph
            step always gives, A = eps I (M-1); ``true`` is the positive part of what generates drawn faces.
        weight: of Eq. (1)'s penalty.  xi: of Eq. (14)'s.  beta: of a learned graph, in units of the mean distance.
        sparse, low_rank: lambda and gamma of Eq. (3).
        moves: L by proximal steps and S by Algorithm 2 in every step, or both descended by Adam with all the rest.
        basis_rate, codes_rate: step sizes of L and S. At 0.1 for both, hardly more than prevalence was learned.
    """

    method: Literal["ridge", "grouped", "coupled"]
    shuffled: bool = False
    graph: Literal["learned", "log degrees", "none", "true"] = "none"
    weight: float = 1e-4
    xi: float = 0.75
    beta: float = 0.3
    sparse: float = 0.01
    low_rank: float = 1.0
    moves: Literal["rules", "descent"] = "rules"
    basis_rate: float = 0.003
    codes_rate: float = 1.0


TABLE = {
    "single": Arm("ridge"),
    "known groups": Arm("grouped"),
    "groups shuffled": Arm("grouped", shuffled=True),
    "learned graph": Arm("coupled", graph="learned"),
    "log degrees": Arm("coupled", graph="log degrees"),
    "printed graph": Arm("coupled"),
    "true graph": Arm("coupled", graph="true"),
    # With the printed constants the penalties cost two points here (seed 900, 512 updates), with a tenth hardly any.
    "known groups, a tenth": Arm("grouped", sparse=0.001, low_rank=0.1),
    "groups shuffled, a tenth": Arm("grouped", shuffled=True, sparse=0.001, low_rank=0.1),
    "learned graph, a tenth": Arm("coupled", graph="learned", xi=0.075),
    "groups by Adam": Arm("grouped", moves="descent"),
}
# Fig. 7: one constant at a time, the others as printed.
CURVES = {
    **{f"groups, γ = {x:g}": Arm("grouped", low_rank=x) for x in (0.01, 0.1, 10.0)},
    **{f"groups, λ = {x:g}": Arm("grouped", sparse=x) for x in (0.0001, 0.001, 0.1)},
    **{f"graph, ξ = {x:g}": Arm("coupled", graph="learned", xi=x) for x in (0.0075, 7.5)},
}
ARMS = TABLE | CURVES


@dataclass(frozen=True)
class Plan(face_table.Plan):
    """How the cells are trained; the arguments are ``face_table.Plan``'s."""

    def stem(self, cell: Cell) -> Path:
        """Where a cell leaves its files: named after all that decides its outcome, but not the training code."""
        sizes = (self.data, self.size, self.train, self.test)
        return self.folder / f"graph-{jobs.digest(self.recipe, sizes, cell, ARMS[cell.arm], self.device)}"


def train(wanted: Sequence[Cell], plan: Plan, *, workers: int = 1, advance: jobs.Advance = jobs.nothing) -> list[dict]:
    """Train what is not trained yet; the scores of every cell in the order given, see ``scores``.

    Arguments as in ``face_table.train``.
    """
    return face_table.train(wanted, plan, workers=workers, advance=advance, run=run_cell)


def run_cell(cell: Cell, plan: Plan, advance: jobs.Advance = jobs.nothing) -> list[dict]:
    """One row, from its file if the cell is done."""
    return face_table.run_cell(cell, plan, advance, _trained)


def _trained(cell: Cell, plan: Plan, checkpoint: Path, advance: jobs.Advance) -> dict:
    torch.set_num_threads(1)  # as in face_table
    arm = ARMS[cell.arm]
    given = _true_graph(plan) if arm.graph == "true" else None
    data = face_table.load(plan, cell.seed, COLOURS)
    method = build(arm, data.tasks, cell.seed, given).to(plan.device)
    update = _update(arm, method, plan, len(data.train), cell.seed)
    row, history = face_table.fitted(cell, plan, method, data, update, checkpoint, advance)
    if not row["diverged"]:
        row |= scores(method, data) | {"losses": face_scores.last(history, TERMS)}
        checkpoint.unlink(missing_ok=True)
    return row


def build(arm: Arm, tasks: Sequence[Task], seed: int, graph: Tensor | None = None) -> Predictors:
    """An arm's method with its initial weights; the trunk's are the same for all arms.

    Args:
        graph: (40, 40) that ``coupled`` starts with, and keeps unless it is learned.
    """
    with seeded("attribute graph", "trunk", seed):
        trunk = averaged(COLOURS)
    with seeded("attribute graph", "head", seed):
        if arm.method == "ridge":
            return Ridge(trunk, trunk.features, tasks, arm.weight)
        if arm.method == "coupled":
            return Coupled(trunk, trunk.features, tasks, arm.xi, graph=graph)
        penalties = "seen" if arm.moves == "rules" else "descended"
        settings = {"sparse": arm.sparse, "low_rank": arm.low_rank, "penalties": penalties}
        return Grouped(trunk, trunk.features, tasks, _groups(arm, tasks), **settings)


def _groups(arm: Arm, tasks: Sequence[Task]) -> Partition:
    groups = learned_groups([name for task in tasks for name in task.columns])
    return groups.shuffled(SHUFFLE) if arm.shuffled else groups


def _update(arm: Arm, method: Predictors, plan: Plan, rows: int, seed: int) -> Update:
    """What moves an arm: descent, with rules for L and S in every step, or for the graph after every epoch (M-29)."""
    if arm.method == "grouped" and arm.moves == "rules":
        return Alternate(rules(method, basis_rate=arm.basis_rate, codes_rate=arm.codes_rate, seed=seed))
    if arm.graph not in ("learned", "log degrees"):
        return Descend()
    how = "trace_frobenius" if arm.graph == "learned" else "log_degree"
    per_epoch = max(1, rows // plan.recipe.batch)
    last = plan.recipe.resolved(per_epoch).steps  # of a run shorter than an epoch, so that it has a graph as well
    return Alternate({"graph": GraphStep(method, how, beta=arm.beta)}, every=min(per_epoch, last))


def _true_graph(plan: Plan) -> Tensor:
    """The positive generating partial correlations as a graph with tr(L) = 40, as learned ones have (40, 40)."""
    if plan.data != DRAWN:
        raise ValueError(f"the arm 'true graph' needs faces whose graph is known, {DRAWN}; of {plan.data} it is not")
    positive = structure.load().partial.clamp(min=0)
    return positive * (len(positive) / positive.sum())


# ------------------------------------------------------------------ what is kept


def scores(method: Predictors, data: Dataset) -> dict[str, object]:
    """Everything that is kept of a trained network; matrices (40, 40) as 780 numbers, see ``face_scores.packed``.

    Returns:
        "accuracy", "balanced", "by attribute", "never" as in ``face_scores.scores``; of the predictors W "distances"
        (squared, between columns, in units of their mean), "mean distance", "cosines" and "relation" (Omega, see
        ``structure.relation``, times 40; None of W = 0); "logits", their correlations on test faces: what the
        predictors say, not what they are; "graph" of Coupled, else None; of Grouped "ranks" (of every L_g) and "zeros"
        (share of the entries of all S); of the training labels "correlation" and "partial correlation".
    """
    y, z = data.test.y[TASK], outputs(method, data.test)
    w, known = method.weights().detach().cpu().double(), data.train.y[TASK].cpu()
    apart, pack = squares(w), partial(face_scores.packed, digits=DIGITS)
    row = face_scores.right(method.decide(z)[TASK], y)
    row |= {
        "distances": pack(relative(apart)),
        "mean distance": apart.sum().item() / (len(apart) * (len(apart) - 1)),
        "cosines": pack(_cosines(w)),
        "relation": pack(len(apart) * relation(w)) if w.any() else None,
        "logits": pack(correlation(z[TASK].cpu())),
        "graph": pack(method.graph.cpu()) if isinstance(method, Coupled) else None,
        "correlation": pack(correlation(known)),
        "partial correlation": pack(partial_correlation(known)),
    }
    return row | (_factors(method) if isinstance(method, Grouped) else {})


def _cosines(w: Tensor) -> Tensor:
    """Cosines of the angles between the columns of (d, n): (n, n), 0 where a column is."""
    unit = torch.nn.functional.normalize(w, dim=0)
    return unit.T @ unit


def _factors(method: Grouped) -> dict[str, object]:
    """How far the penalties of Eq. (3) came: the rank of every basis, and which share of the codes is exactly 0."""
    codes = torch.cat([own.detach().flatten() for own in method.S])
    ranks = [int(effective_rank(basis.detach(), TOLERANCE)) for basis in method.L]
    return {"ranks": ranks, "zeros": (codes == 0).double().mean().item()}


def partial_correlation(y: Tensor, ridge: float = RIDGE) -> Tensor:
    """How two columns of labels go together while all others are held: (N, c) -> (c, c), 1 on the diagonal.

    From the inverse of the correlations plus ``ridge`` I; a column that never varies goes with nothing.
    """
    own = correlation(y).nan_to_num(0).fill_diagonal_(1)
    inverse = torch.linalg.inv(own + ridge * torch.eye(len(own), dtype=own.dtype))
    scale = inverse.diagonal().rsqrt()
    return (-scale.unsqueeze(1) * inverse * scale).fill_diagonal_(1)
