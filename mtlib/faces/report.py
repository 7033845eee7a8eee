"""How close the drawn population comes to the statistics that it was fitted to."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy import ndarray
from sklearn.metrics import roc_auc_score

from mtlib.faces import calibrate, expression_table, gaussian, structure
from mtlib.faces.names import ATTRIBUTES, EXPRESSIONS, UNIT
from mtlib.faces.population import People, people

PAIRS = np.triu_indices(40, 1)


@dataclass(frozen=True)
class Report:
    """Drawn faces beside CelebA's training images, by attribute (40,), by pair (780,), by expression (7,).

    share, correlation, between: (2, 40), (2, 780), (2, 40), CelebA's and the drawn faces'.
    accuracy: (40,) of the sign of the margin as a guess of the label. expressions: (7,) their shares.
    units: (7, 17) P(action unit | expression). recovery: areas under the ROC curve of the graph of dependence by the
    size of the labels' correlations, and by that of their partial correlations.
    """

    share: ndarray
    correlation: ndarray
    between: ndarray
    accuracy: ndarray
    expressions: ndarray
    units: ndarray
    recovery: dict[str, float]


def measure(faces: int = 100_000, seed: int = 0) -> Report:
    """The comparison on the first faces of a population."""
    facts, drawn = calibrate.celeba(), people(torch.arange(faces), seed)
    labels = drawn.attributes.double().numpy()
    correlation = np.corrcoef(labels.T)
    counts = np.bincount(drawn.expression.numpy(), minlength=7)
    units = [drawn.action_units[drawn.expression == e].double().mean(0).numpy() for e in range(7)]
    graph = structure.load().dependence.numpy()[PAIRS]
    scores = {"correlation": correlation, "partial correlation of the labels": _partial(correlation)}
    share = labels.mean(0)
    latent = np.eye(40)
    latent[PAIRS] = gaussian.tetrachoric(correlation[PAIRS], share[PAIRS[0]], share[PAIRS[1]])
    scores["partial tetrachoric correlation"] = _partial(_positive(latent + latent.T - np.eye(40)))
    return Report(
        np.stack([facts.share, share]),
        np.stack([facts.correlation[PAIRS], correlation[PAIRS]]),
        np.stack([facts.between, between(drawn)]),
        ((drawn.margin > 0) == (drawn.attributes > 0)).double().mean(0).numpy(),
        counts / faces,
        np.stack(units),
        {name: roc_auc_score(graph, np.abs(score[PAIRS])) for name, score in scores.items()},
    )


def between(drawn: People) -> ndarray:
    """Share (40,) of each label's variance that lies between identities."""
    labels, (_, place) = drawn.attributes.double(), drawn.identity.unique(return_inverse=True)
    count = torch.bincount(place).double()[:, None]
    mean = torch.zeros(len(count), 40, dtype=torch.float64).index_add_(0, place, labels) / count
    whole = labels.mean(0)
    return ((count * (mean - whole) ** 2).sum(0) / ((labels - whole) ** 2).sum(0)).numpy()


def text(found: Report, worst: int = 12) -> str:
    """The report in words and tables."""
    share, pairs, identity = (part[1] - part[0] for part in (found.share, found.correlation, found.between))
    population = structure.load()
    lines = [
        f"edges {int(population.dependence.sum()) // 2} of 780, partial correlations "
        f"{population.partial[population.dependence].abs().min():.3f} to {population.partial.abs().max():.3f}",
        f"shares: largest difference {100 * np.abs(share).max():.2f} points",
        f"correlations: root-mean-square error {np.sqrt((pairs**2).mean()):.4f}",
        f"identity shares: {int((np.abs(identity) <= 0.1).sum())} of 40 within 0.10",
        "graph found by " + ", ".join(f"{name} {area:.3f}" for name, area in found.recovery.items()) + " (AUC)",
        "\nattribute               share CelebA drawn | between CelebA drawn | bound accuracy of the drawn state",
    ]
    for k, name in enumerate(ATTRIBUTES):
        lines.append(
            f"{name:20}  {found.share[0, k]:.3f} {found.share[1, k]:.3f} | {found.between[0, k]:.3f} "
            f"{found.between[1, k]:.3f}{' !' if abs(identity[k]) > 0.1 else '  '}| {population.bound[k]:.3f} "
            f"{found.accuracy[k]:.3f}"
        )
    lines.append("\nworst pairs: CelebA, drawn")
    for k in np.argsort(-np.abs(pairs))[:worst]:
        one, other = (ATTRIBUTES[side[k]] for side in PAIRS)
        lines.append(f"{one:20} {other:20} {found.correlation[0, k]:6.3f} {found.correlation[1, k]:6.3f}")
    lines.append("\nexpression  share  AU12 table drawn  AU25 table drawn  largest difference of the others")
    difference = np.abs(found.units - expression_table.printed())
    for e, name in enumerate(EXPRESSIONS):
        cells = "  ".join(
            f"{expression_table.printed()[e, UNIT[u]]:.3f} {found.units[e, UNIT[u]]:.3f}" for u in (12, 25)
        )
        others = np.delete(difference[e], [UNIT[12], UNIT[25]]).max()
        lines.append(f"{name:10} {found.expressions[e]:.3f}  {cells}  {others:.3f}")
    return "\n".join(lines)


def _partial(correlation: ndarray) -> ndarray:
    precision = np.linalg.inv(correlation)
    return -precision / np.sqrt(np.outer(np.diag(precision), np.diag(precision)))


def _positive(matrix: ndarray) -> ndarray:
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * values.clip(0.01)) @ vectors.T


if __name__ == "__main__":
    print(text(measure()))
