"""Is a network blind to an attribute? Probes of its features, its maps on known pixels, and interventions.

All scores are per cent unless said otherwise, and balanced: half is what a coin has, however rare the attribute.
"""

import math
from copy import deepcopy

import numpy as np
import torch
from numpy import ndarray
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from mtlib.adversarial import Adversarial
from mtlib.cam import cam, upsample
from mtlib.cam.localise import mass
from mtlib.metrics.columns import auc, balanced_accuracy
from mtlib.seeds import seeded
from mtlib.tasks import Split

HIDDEN = 64  # of the MLP probe
EPOCHS, BATCH, RATE, DECAY = 60, 128, 3e-3, 1e-3
HELD = 4  # one face in so many stops the MLP probe
ROWS = 512  # images put through a network at a time

Known = tuple[Tensor, Tensor]  # features (N, K) or scores (N,), and labels (N,) 0/1


# ------------------------------------------------------------------ what can be read


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


# ------------------------------------------------------------------ where it looks, and what moves it


def evidence(maps: Tensor, masks: Tensor, has: Tensor) -> tuple[float, float]:
    """Mean share of a map's positive part on known pixels, per cent, and what an even map has: their area.

    Args:
        maps: (B, H, W).  masks: (B, H, W) bool.  has: (B,) bool, the faces that count.

    Returns:
        NaN, NaN where no face counts that shows a pixel of the mask.
    """
    share = mass(maps.unsqueeze(1), masks.unsqueeze(1))[:, 0]
    area = masks.double().mean((1, 2))
    counts = has & ~share.isnan()
    return 100 * share[counts].mean().item(), 100 * area[counts].mean().item()


def moved(without: Tensor, with_it: Tensor, plain: Tensor) -> float:
    """By how much logits (N,) rise when an attribute is set instead of unset on the same faces.

    In standard deviations of the logit over the faces as they are; 0 for a logit that is the same of all.
    """
    spread = plain.double().std()
    return 0.0 if spread == 0 else ((with_it - without).double().mean() / spread).item()


# ------------------------------------------------------------------ a network


@torch.no_grad()
def read(method: Adversarial, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Features (N, K), logits of the main attribute (N,) and what the adversary says (N,), in evaluation mode.

    Afterwards every module is in the mode that it was in.
    """
    modes = {module: module.training for module in method.modules()}
    method.eval()
    parts = [(h, method.head(h)[:, 0], method.guess(h)[:, 0]) for h in map(method.trunk, x.split(ROWS))]
    for module, mode in modes.items():
        module.training = mode
    return tuple(torch.cat(part).cpu() for part in zip(*parts, strict=True))


def scores(
    method: Adversarial, probing: Split, test: Split, set_by_hand: tuple[Tensor, Tensor], masks: Tensor, seed: int
) -> dict[str, float | None]:
    """What is kept of a network whose tasks are called "main" and "partner", one column each.

    Args:
        probing: faces that the probes learn from; neither the network's training faces nor the test's.
        test: faces for all scores.
        set_by_hand: pictures (N', 3, H, W) of the first N' test faces without and with the partner, all else unchanged.
        masks: (N', 2, H, W) bool, the pixels of main attribute and partner on these faces.
        seed: of the MLP probe.

    Returns:
        Numbers, None where there is none: "accuracy", "balanced" of the main attribute; "adversary", "adversary AUC"
        of the partner, by the network's own adversary; "linear probe", "MLP probe" of the partner; "floor", see
        ``floor``; "logit", a linear probe of nothing but the main attribute's logit; "mass partner", "mass own", share
        of the map's positive evidence on their pixels, on faces with the main attribute, and "area partner", "area
        own", what an even map has; "plain", "do 0", "do 1", balanced accuracy of the main attribute on the N' faces as
        they are, and with the partner unset and set; "moved", see ``moved``, in standard deviations.
    """
    h, z, guess = read(method, test.x)
    learned, own, tried = read(method, probing.x)
    a, b = (test.y[name][:, 0].cpu() for name in ("main", "partner"))
    known = probing.y["partner"][:, 0].cpu()
    n = len(masks)
    off, on = (read(method, images)[1] for images in set_by_hand)
    maps = upsample(cam(method.trunk, method.head.weight.T, test.x[:n]), masks.shape[-2:])[:, 0].cpu()
    own_mask, partner_mask = masks.cpu().unbind(1)
    regions = {"own": own_mask, "partner": partner_mask}
    lies = {name: evidence(maps, mask, a[:n] == 1) for name, mask in regions.items()}
    found = {
        "accuracy": 100 * ((z > 0) == (a == 1)).double().mean().item(),
        "balanced": balanced(z > 0, a),
        "adversary": guessed((tried, known), (guess, b)),
        "adversary AUC": 100 * auc(guess.unsqueeze(1), b.unsqueeze(1)).item(),
        "linear probe": linear_probe((learned, known), (h, b)),
        "MLP probe": mlp_probe((learned, known), (h, b), seed),
        "floor": floor(a, b),
        "logit": linear_probe((own.unsqueeze(1), known), (z.unsqueeze(1), b)),
        "plain": balanced(z[:n] > 0, a[:n]),
        "do 0": balanced(off > 0, a[:n]),
        "do 1": balanced(on > 0, a[:n]),
        "moved": moved(off, on, z[:n]),
        **{f"mass {name}": share for name, (share, _) in lies.items()},
        **{f"area {name}": area for name, (_, area) in lies.items()},
    }
    return {name: value if math.isfinite(value) else None for name, value in found.items()}


def _numbers(h: Tensor) -> ndarray:
    return h.double().cpu().numpy()
