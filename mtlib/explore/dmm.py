"""The explorers of notebooks 03 and 03b: where a threshold rests, and whom a rule for weights starves."""

from collections.abc import Mapping

import numpy as np
import torch
from numpy import ndarray
from scipy.stats import norm

from mtlib.dmm import matched, most_accurate
from mtlib.experiments.learning_speeds import RULES, learn
from mtlib.explore import Explorer
from mtlib.figures import BLACK, BLUE, RED, Drawing, new
from mtlib.figures.dmm_results import spoken
from mtlib.figures.dmm_threshold import threshold as drawn

NORMAL = "two normal ones"
EXAMPLES = 4000
SHARES = ("1 %", "2 %", "5 %", "10 %", "20 %", "35 %", "50 %")
APART = (0.5, 1.0, 1.5, 2.0, 3.0, 4.0)
CUTS = tuple(round(0.1 * step, 1) for step in range(-10, 21))
LEAST = 1e-4  # of a weight on a logarithmic axis


def threshold(outputs: Mapping[str, tuple[ndarray, ndarray]] | None = None) -> Explorer:
    """Move a threshold over two classes of outputs: FP = FN is one place, the best accuracy another.

    Args:
        outputs: {attribute: (outputs (N,), labels 0/1 (N,))} of a trained network, to choose from besides.
    """
    real = {spoken(name)[:20]: both for name, both in (outputs or {}).items()}

    def draw(scores: str, positives: str, apart: float, cut: float) -> Drawing:
        z, y = real[scores] if scores in real else _normal(float(positives.split()[0]) / 100, apart)
        name = scores if scores in real else f"drawn outputs, {apart:g} standard deviations apart"
        return _threshold(np.asarray(z, dtype=float), np.asarray(y), cut, name, scores in real)

    return Explorer(
        "Where are false positives as many as false negatives? Is accuracy best there? Make positives rarer: which of "
        'the two places moves, and when does nothing beat saying "no"?',
        {"scores": (NORMAL, *real), "positives": SHARES, "apart": APART, "cut": CUTS},
        {"scores": NORMAL, "positives": "5 %", "apart": 1.5, "cut": 0.0},
        draw,
        {"scores": "outputs", "positives": "positives", "apart": "classes apart", "cut": "threshold"},
    )


def _normal(share: float, apart: float) -> tuple[ndarray, ndarray]:
    """Outputs at the quantiles of two normal distributions around -apart / 4 and apart / 4, of deviation 0.5."""
    n = round(EXAMPLES * share)
    parts = [0.5 * norm.ppf((np.arange(k) + 0.5) / k) for k in (EXAMPLES - n, n)]
    z = np.concatenate([parts[0] - apart / 4, parts[1] + apart / 4])
    return z, np.repeat([0, 1], [EXAMPLES - n, n])


def _threshold(z: ndarray, y: ndarray, cut: float, name: str, trained: bool) -> Drawing:
    column = torch.from_numpy(z).unsqueeze(1), torch.from_numpy(y).long().unsqueeze(1)
    cuts = {"yours": cut, "FP = FN": matched(*column).item(), "most accurate": most_accurate(*column).item()}
    drawing = drawn(z, y, cuts, name, id="explore-threshold", trained=trained)
    false_positive, false_negative = int(((z > cut) & (y == 0)).sum()), int(((z <= cut) & (y == 1)).sum())
    told = f"At {cut:g}: {false_positive} false positives, {false_negative} false negatives. {drawing.finding}"
    arrays = {**drawing.arrays, "mistakes": [false_positive, false_negative]}
    trust = {**drawing.trained, "mistakes": 300.0} if trained else drawing.trained
    return Drawing(drawing.id, drawing.figure, arrays, drawing.alt, told, trust)


SPEEDS = (0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 1.1, 1.5, 2.0)
FLOORS = (0.001, 0.01, 0.05, 0.1, 0.2)


def speeds() -> Explorer:
    """Two tasks that differ in speed alone, under a rule for their weights: whom does it starve?"""

    def draw(rule: str, easy: float, hard: float, floor: float) -> Drawing:
        losses, weights = learn((easy, hard), rule, floor=floor)
        return _speeds(losses.numpy(), weights.numpy(), rule, (easy, hard))

    return Explorer(
        "Which rule gives the hard task, the slow one, more weight than the easy one? From which speed on does "
        "Eq. (4) keep learning? What floor does the slow task need?",
        {"rule": RULES, "easy": SPEEDS, "hard": SPEEDS, "floor": FLOORS},
        {"rule": "Eq. (4)", "easy": 1.5, "hard": 0.3, "floor": 0.05},
        draw,
        {"rule": "weights by", "easy": "speed, easy task", "hard": "speed, hard task", "floor": "floor"},
    )


def _speeds(losses: ndarray, weights: ndarray, rule: str, kappa: tuple[float, float]) -> Drawing:
    figure = new(12, 4.4)
    left, right = figure.subplots(1, 2)
    looks = (("easy", BLUE, "-", "o"), ("hard", RED, "--", "s"))
    for (name, colour, style, marker), loss, weight, speed in zip(looks, losses, weights, kappa, strict=True):
        look = {"color": colour, "ls": style, "marker": marker, "lw": 2.4, "ms": 7, "markevery": 8}
        left.plot(loss, label=f"{name} task, κ = {speed:g}", **look)
        right.plot(np.maximum(weight, LEAST), **look)
    left.set(xlabel="validation", ylabel="loss", ylim=(-0.03, 1.03), title="loss, 1 at first")
    right.set(xlabel="validation", ylabel="weight (logarithmic)", yscale="log", title=f"weights by {rule}")
    right.set_ylim(LEAST / 1.5, max(3.0, 1.3 * weights.max()))
    right.axhline(1, color=BLACK, lw=1)
    for ax in (left, right):
        ax.grid(alpha=0.3)
    figure.legend(loc="outside lower center", ncols=2, handlelength=3.5)
    ends = losses[:, -1]
    moved = losses[1, -11] - ends[1]  # in the last ten validations
    starved = "; the hard task has stopped before its end" if ends[1] > 0.1 and moved < 0.01 * ends[1] else ""
    return Drawing(
        "explore-speeds",
        figure,
        {"losses": ends, "weights": weights[:, -1]},
        f"Two panels over {losses.shape[1] - 1} validations: losses of an easy and a hard task, and their weights on a "
        "logarithmic axis with a line at 1.",
        f"{rule}: after {losses.shape[1] - 1} validations the easy task keeps {100 * ends[0]:.0f} % of its loss, the "
        f"hard one {100 * ends[1]:.0f} %; weights {weights[0, -1]:.2g} and {weights[1, -1]:.2g}{starved}.",
    )
