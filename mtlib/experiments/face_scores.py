"""What a network of forty attributes is asked when it is trained: accuracy, correlations, and what its spaces know."""

import math
from collections.abc import Mapping, Sequence

import torch
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor

from mtlib.method import Method
from mtlib.metrics.columns import accuracy, auc, balanced_accuracy
from mtlib.metrics.correlations import balanced_correlation, correlation, matrix_distance
from mtlib.metrics.evaluate import predictions
from mtlib.networks.costs import cost
from mtlib.sos import SOS
from mtlib.tasks import Dataset, Split

TASK = "attributes"
TERMS = ("common-specific", "specific-specific", "semantic", "adversarial")
KINDS = ("plain", "balanced")
PROBED = 4096  # faces that a probe is fitted to
DIGITS = 4


def scores(method: Method, data: Dataset, population: Mapping[str, Tensor]) -> dict[str, object]:
    """Everything that is kept of a trained network; numbers without meaning are None.

    Args:
        population: {kind: (40, 40)} the correlations that its predictions are measured against.

    Returns:
        "accuracy", "balanced" (means over attributes, per cent), "by attribute" (40 accuracies), "never" (attributes
        that it never predicts), "map plain", "map balanced" (780 correlations of predictions, see ``packed``), "truth
        plain", "truth balanced" (the same of the test labels), "distance plain", "distance balanced" (of its map to the
        population's), "parameters" (for prediction, for training), "multiply-adds" of a picture, and for SOS "probes"
        (41 rows of 40 AUCs, see ``probes``) and "known", what they say in three numbers.
    """
    y = data.test.y[TASK]
    decided = predictions(method, data.test)[TASK]
    row = right(decided, y)
    for kind, (own, truth) in maps(decided, y).items():
        # What is always the same goes with nothing: 0, or rarely predicted attributes would flatter a map.
        row[f"distance {kind}"] = matrix_distance(own.nan_to_num(0), population[kind].to(own.device)).item()
        row |= {f"map {kind}": packed(own), f"truth {kind}": packed(truth)}
    row |= costs(method, data)
    if isinstance(method, SOS) and method.specific:
        found = probes(method, data)
        row |= {"probes": [plain(line, DIGITS) for line in found], "known": known(found)}
    return row


def right(decided: Tensor, y: Tensor) -> dict[str, object]:
    """ "accuracy", "balanced", "by attribute" and "never" of ``scores``, from decisions and labels (N, 40)."""
    every, even = 100 * accuracy(decided, y), 100 * balanced_accuracy(decided, y)
    return {
        "accuracy": every.nanmean().item(),
        "balanced": even.nanmean().item(),
        "by attribute": plain(every, 2),
        "never": int((decided == 1).sum(0).eq(0).sum()),
    }


def maps(decided: Tensor, y: Tensor) -> dict[str, tuple[Tensor, Tensor]]:
    """Fig. 6: {"plain", "balanced": (correlations of the decisions, of the labels)}, each (40, 40), NaN where constant.

    Args:
        decided: (N, 40) predicted labels.  y: (N, 40) labels; both maps are balanced by these (S-26).
    """
    return {
        "plain": (correlation(decided), correlation(y)),
        "balanced": (balanced_correlation(decided, y), balanced_correlation(y)),
    }


def costs(method: Method, data: Dataset) -> dict[str, object]:
    """Parameters and multiply-adds; the fake heads are needed for training only."""
    found = cost(method, tuple(data.test.x.shape[1:]))
    fake = sum(p.numel() for group in method.groups() if group.get("critic") for p in group["params"])
    return {"parameters": [found.parameters - fake, found.parameters], "multiply-adds": found.multiplications}


@torch.no_grad()
def spaces(method: SOS, split: Split, rows: int = 1024) -> list[Tensor]:
    """What the heads read, on the CPU: the common space (N, C), then each task's own (N, S)."""
    method.eval()
    parts = [[space.relu().cpu() for space in method.embed(x)] for x in split.x.split(rows)]
    common, specific = (torch.cat(each) for each in zip(*parts, strict=True))
    return [common, *specific.unbind(1)]


def probes(method: SOS, data: Dataset) -> Tensor:
    """What can be read off each space: test AUC of a linear probe of every attribute, (1 + 40, 40).

    Row 0 is the common space, row 1 + i the specific space of task i. A probe is ridge regression on standardised
    features, one for all attributes at once; 0.5 is chance, and NaN where the test faces have one label only.
    """
    some = torch.arange(min(PROBED, len(data.train)), device=data.train.x.device)
    batch = data.train.take(some)
    fitted, seen = spaces(method, Split(batch.x, batch.y)), spaces(method, data.test)
    y, asked = batch.y[TASK].cpu().double(), data.test.y[TASK].cpu()
    lines = []
    for train, test in zip(fitted, seen, strict=True):
        probe = make_pipeline(StandardScaler(), Ridge(alpha=1.0)).fit(train.double().numpy(), y.numpy())
        lines.append(auc(torch.from_numpy(probe.predict(test.double().numpy())), asked))
    return torch.stack(lines)


def known(found: Tensor) -> dict[str, float]:
    """Mean AUC of the probes (1 + 40, 40) on the common space, of the specific spaces' own tasks, and of the others."""
    specific, own = found[1:], torch.eye(found.shape[1], dtype=torch.bool)
    parts = {"common": found[0], "own": specific[own], "others": specific[~own]}
    return {name: part.nanmean().item() for name, part in parts.items()}


def packed(matrix: Tensor, digits: int = DIGITS) -> list[float | None]:
    """The entries above the diagonal of a symmetric matrix (c, c), row by row: c (c - 1) / 2 numbers."""
    return plain(matrix[*torch.triu_indices(len(matrix), len(matrix), 1)], digits)


def unpacked(values: Sequence[float | None]) -> Tensor:
    """The matrix (c, c) of ``packed``, 1 on the diagonal, NaN where a number is missing."""
    size = (1 + math.isqrt(1 + 8 * len(values))) // 2
    matrix = torch.eye(size, dtype=torch.double)
    upper = torch.triu_indices(size, size, 1)
    matrix[*upper] = torch.tensor([math.nan if value is None else value for value in values], dtype=torch.double)
    return torch.where(torch.eye(size, dtype=torch.bool), 1.0, matrix.triu(1) + matrix.triu(1).T)


def plain(values: Tensor, digits: int) -> list[float | None]:
    """Numbers for a record: rounded, None where they are not finite."""
    return [round(value, digits) if math.isfinite(value) else None for value in values.tolist()]


def last(history: Sequence[dict[str, float]], terms: Sequence[str] = TERMS) -> dict[str, float]:
    """The loss terms at the end of training: the mean over tasks, and every extra term, known by its name."""
    row = {name: value for name, value in history[-1].items() if name not in ("step", "total")}
    extra = {name: row.pop(name) for name in terms if name in row}
    return {"tasks": sum(row.values()) / len(row)} | extra
