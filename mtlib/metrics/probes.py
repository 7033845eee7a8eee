"""What can be read from features that were not trained for it: probes, the floor below them, and thresholds.

All scores are balanced accuracies in per cent: half is what a coin has, however rare the attribute. A probe learns from
features of other images than it is judged on, and than the network learned from.
"""

from copy import deepcopy

import numpy as np
import torch
from numpy import ndarray
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from mtlib.metrics.columns import balanced_accuracy
from mtlib.seeds import seeded

HIDDEN = 64  # of the MLP probe
EPOCHS, BATCH, RATE, DECAY = 60, 128, 3e-3, 1e-3
HELD = 4  # one image in so many stops the MLP probe

Known = tuple[Tensor, Tensor]  # features (N, K) or scores (N,), and labels (N,) 0/1


def balanced(decided: Tensor, y: Tensor) -> float:
    """Mean of sensitivity and specificity of decisions (N,) about labels (N,), per cent."""
    return 100 * balanced_accuracy(decided.long().unsqueeze(1), y.long().unsqueeze(1)).item()


def floor(main: Tensor, partner: Tensor) -> float:
    """What the main attribute's label alone tells of the partner: 50 + 50 |P(a | b) - P(a | not b)|, per cent.

    It is the balanced accuracy of the best guess at b from a. A network that is right about a and about nothing else
    gives away as much, whatever an adversary does: its logit is one of the directions that a linear probe may take.

    Args:
        main, partner: (N,) labels 0/1 of the same faces.

    Raises:
        ValueError: a partner that all faces have or none has.
    """
    if not 0 < partner.sum() < len(partner):
        raise ValueError(f"floor: needs faces with and without the partner, got {int(partner.sum())} of {len(partner)}")
    with_b, without = (main[partner == value].double().mean().item() for value in (1, 0))
    return 50 + 50 * abs(with_b - without)


def linear_probe(fitted: Known, test: Known) -> float:
    """Balanced accuracy of logistic regression that was fitted to frozen features of other faces.

    Features are standardised: an adversary may not hide an attribute by making it small. Both labels weigh alike.

    Args:
        fitted: features (N, K) and labels (N,) to learn from.  test: others to be judged by.
    """
    probe = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000, class_weight="balanced"))
    probe.fit(_numbers(fitted[0]), fitted[1].cpu().numpy())
    return balanced(torch.from_numpy(probe.predict(_numbers(test[0]))), test[1].cpu())


def mlp_probe(fitted: Known, test: Known, seed: int = 0) -> float:
    """The same of a probe with one hidden layer of ``HIDDEN``: what is there, but not along a line.

    Adam on three quarters of the faces, both labels weighing alike; the fourth quarter says which epoch is kept.

    Args:
        fitted, test: as for ``linear_probe``.  seed: of the split, the initial weights and the batches.
    """
    middle, spread = fitted[0].float().mean(0), fitted[0].float().std(0).clamp(min=1e-6)
    (x, y), (far, truth) = (((h.float() - middle) / spread, own.float()) for h, own in (fitted, test))
    weight = torch.where(y == 1, 0.5 / y.mean(), 0.5 / (1 - y.mean()))
    with seeded("MLP probe", seed):
        probe = nn.Sequential(nn.Linear(x.shape[1], HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 1), nn.Flatten(0)).to(
            x.device
        )
        optimiser = torch.optim.Adam(probe.parameters(), RATE, weight_decay=DECAY)
        held, rest = torch.randperm(len(x)).to(x.device).tensor_split([len(x) // HELD])

        def loss(rows: Tensor) -> Tensor:
            return binary_cross_entropy_with_logits(probe(x[rows]), y[rows], weight[rows])

        best, kept = np.inf, probe.state_dict()
        for _ in range(EPOCHS):
            for rows in rest[torch.randperm(len(rest)).to(x.device)].split(BATCH):
                optimiser.zero_grad()
                loss(rows).backward()
                optimiser.step()
            with torch.no_grad():
                now = loss(held).item()
            if now < best:
                best, kept = now, deepcopy(probe.state_dict())
    probe.load_state_dict(kept)
    with torch.no_grad():
        return balanced(probe(far) > 0, truth)


def threshold(fitted: Known) -> float:
    """Where scores (N,) of labelled faces are best cut in two: the largest balanced accuracy, the lowest such place."""
    order = fitted[0].argsort()
    score, y = fitted[0][order].double(), fitted[1][order].double()
    below, above = (1 - y).cumsum(0) / (1 - y).sum(), y.flip(0).cumsum(0).flip(0) / y.sum()
    right = torch.cat([above[:1], (below[:-1] + above[1:]).where(score[:-1] < score[1:], -torch.inf)])  # cut before k
    at = int(right.argmax())
    return score[0].item() - 1 if at == 0 else (score[at - 1 : at + 1].mean()).item()


def guessed(fitted: Known, test: Known) -> float:
    """Balanced accuracy of given scores, cut where it was best on other faces.

    So an adversary of a rare attribute, or one whose output is no log-odds (``wasserstein``), is judged like a probe.
    """
    return balanced(test[0] > threshold(fitted), test[1])


def _numbers(h: Tensor) -> ndarray:
    return h.double().cpu().numpy()
