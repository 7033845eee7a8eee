"""Fits ``structure.json``, the population of the drawn faces, to the statistics of CelebA in ``data/celeba``.

``python -m mtlib.faces.calibrate`` writes the file again, ``--report`` compares 100 000 faces with CelebA. The graph
of dependence is fixed here, before any method that looks for it is scored.
"""

import csv
import json
import sys
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from numpy import ndarray
from scipy.optimize import lsq_linear
from scipy.stats import norm

from mtlib.faces import expression_table, gaussian, structure
from mtlib.faces.gaussian import Target
from mtlib.faces.names import ATTRIBUTES, COLUMN
from mtlib.faces.population import sample
from mtlib.paths import repository, write_atomic

VERSION = 1  # raise it with any change of a face

# How much annotators disagree: the correlation of a label's normal number with the appearance. A balanced label with
# the same reliability can be predicted with the accuracy in the second comment.
NONE, LITTLE, SOME, MUCH = 0.9995, 0.98, 0.91, 0.75  # 0.99, 0.94, 0.86, 0.77
RELIABILITY = {
    "5_o_Clock_Shadow": (LITTLE, "stubble begins somewhere"),
    "Arched_Eyebrows": (SOME, "an arch is a matter of degree"),
    "Attractive": (SOME, "opinion; not drawn at all, so its bound follows from the other 39"),
    "Bags_Under_Eyes": (SOME, "faint in most faces, and light decides"),
    "Bald": (NONE, "seen at once"),
    "Bangs": (NONE, "hair on the forehead or none"),
    "Big_Lips": (MUCH, "no agreed size"),
    "Big_Nose": (SOME, "no agreed size, but the extremes are clear"),
    "Black_Hair": (LITTLE, "shades into brown"),
    "Blond_Hair": (NONE, "stands apart from the other colours"),
    "Blurry": (LITTLE, "a degree of sharpness"),
    "Brown_Hair": (SOME, "between black and blond on both sides"),
    "Bushy_Eyebrows": (LITTLE, "thickness shows, its limit less so"),
    "Chubby": (LITTLE, "a degree of width"),
    "Double_Chin": (LITTLE, "a crease or none, sometimes a shadow"),
    "Eyeglasses": (NONE, "there or not"),
    "Goatee": (LITTLE, "which beard counts as one"),
    "Gray_Hair": (LITTLE, "a share of gray"),
    "Heavy_Makeup": (LITTLE, "how heavy is heavy"),
    "High_Cheekbones": (SOME, "bones seen through a smile: it correlates too well with Smiling for more"),
    "Male": (NONE, "as annotated; CelebA's label is stable within a person"),
    "Mouth_Slightly_Open": (NONE, "a gap between the lips"),
    "Mustache": (LITTLE, "stubble on the lip counts or not"),
    "Narrow_Eyes": (SOME, "a smile or the light narrows any eye"),
    "No_Beard": (LITTLE, "the stubble again"),
    "Oval_Face": (MUCH, "no face is not oval"),
    "Pale_Skin": (LITTLE, "skin, light and exposure"),
    "Pointy_Nose": (MUCH, "seen from the side, asked from the front"),
    "Receding_Hairline": (LITTLE, "a high forehead may be one"),
    "Rosy_Cheeks": (LITTLE, "how rosy"),
    "Sideburns": (LITTLE, "how long"),
    "Smiling": (NONE, "the corners of the mouth; AU12"),
    "Straight_Hair": (SOME, "most hair lies between straight and wavy"),
    "Wavy_Hair": (SOME, "most hair lies between straight and wavy"),
    "Wearing_Earrings": (SOME, "small, behind hair or cut off"),
    "Wearing_Hat": (NONE, "there or not"),
    "Wearing_Lipstick": (LITTLE, "lips are red without it"),
    "Wearing_Necklace": (SOME, "often below the edge of the image"),
    "Wearing_Necktie": (NONE, "there or not"),
    "Young": (LITTLE, "an age is guessed, and a limit set"),
}
assert tuple(RELIABILITY) == ATTRIBUTES

ALPHA = 0.06  # of the graphical lasso, where pruning starts
RIDGE = 0.1  # keeps partial correlations below 0.8; without it one reaches 0.99
SMALLEST = 0.05  # of a partial correlation; a weaker edge cannot be found from CelebA's number of faces
EDGES = 130  # of 780 at most; with 160 the RMSE is 0.021, with 130 0.024, with 110 0.026
PALLOR = 0.8
TRIALS = 1000  # orders of the Cholesky factor that are tried
SEED = -1  # of the faces that are drawn here; nobody else's
CORRECTIONS = 4  # corrections for what the exclusion of hair colours does to their shares and correlations


@dataclass(frozen=True)
class CelebA:
    """Facts about CelebA's training labels: shares (40,), phi correlations (40, 40), identity shares (40,)."""

    share: ndarray
    correlation: ndarray
    between: ndarray


@cache
def celeba() -> CelebA:
    """The statistics in ``data/celeba``, in the order of the attributes."""
    frequency = {row["attribute"]: row for row in _rows("attribute_frequency.csv")}
    pearson = {row["attribute"]: row for row in _rows("attribute_pearson_train.csv")}
    between = {row["attribute"]: row for row in _rows("attribute_identity_variance_train.csv")}
    return CelebA(
        np.array([float(frequency[name]["freq_train"]) for name in ATTRIBUTES]),
        np.array([[float(pearson[one][other]) for other in ATTRIBUTES] for one in ATTRIBUTES]),
        np.array([float(between[name]["between_identity_variance_fraction_train"]) for name in ATTRIBUTES]),
    )


def target(share: ndarray | None = None, correlation: ndarray | None = None) -> Target:
    """What the graph is fitted to: CelebA, or what stands in for it to make up for the exclusion of hair colours."""
    reliability = np.array([reliability for reliability, _ in RELIABILITY.values()])
    facts = celeba()
    return Target(
        facts.share if share is None else share, facts.correlation if correlation is None else correlation, reliability
    )


def graph(edges: int = EDGES) -> ndarray:
    """Partial correlations (40, 40) of the appearances with at most so many edges."""
    wanted = target()
    partial = gaussian.refit(wanted, gaussian.first(wanted, ALPHA), RIDGE, 60)
    for sparser in gaussian.prune(wanted, partial, RIDGE, SMALLEST):
        strengths = np.abs(sparser[sparser != 0])
        if len(strengths) // 2 <= edges and strengths.min() > SMALLEST:
            return sparser
    raise AssertionError("pruning never ends")


def stability(wanted: Target, covariance: ndarray, trials: int) -> tuple[ndarray, ndarray, ndarray]:
    """Which innovations an identity keeps, so that labels vary between identities as CelebA's do.

    Returns:
        mixing (40, 40), stable (40,), opinion (40,): see :class:`mtlib.faces.structure.Structure`. The order of the
        Cholesky factor is free, and a label's share can only be mixed from those of its innovations: orders are tried.
    """
    p, r = wanted.share, wanted.reliability
    floor = 1 / 20  # share of an attribute without any stability: identities have 20 faces on average
    within = ((celeba().between - floor) / (1 - floor)).clip(0, 0.999)
    rho = gaussian.tetrachoric(within, p, p)  # the same normal number of two faces of an identity
    weight = gaussian.slope(rho.clip(0, 0.99), p, p)  # so that what counts is the error in the label's share
    weight[COLUMN["Male"]] *= 4  # 0.98, and a person who changes in every fiftieth face is no person

    def solve(order: ndarray) -> tuple[float, ndarray, ndarray]:
        mixing = np.zeros((40, 40))
        mixing[np.ix_(order, order)] = np.linalg.cholesky(covariance[np.ix_(order, order)])
        rows = np.hstack([mixing**2 * r[:, None] ** 2, np.diag(1 - r**2)]) * weight[:, None]
        faint = 1e-4 * np.eye(80)  # what is left open is half stable
        fit = lsq_linear(np.vstack([rows, faint]), np.r_[rho * weight, np.full(80, 5e-5)], bounds=(0, 1))
        return fit.cost, mixing, fit.x

    order = np.argsort(rho, kind="stable")
    order = np.r_[order[order != COLUMN["Pale_Skin"]], COLUMN["Pale_Skin"]]
    best, random = solve(order), np.random.RandomState(0)
    for _ in range(trials):
        one, other = random.randint(0, 39, 2)  # not the last place
        order[[one, other]] = order[[other, one]]
        found = solve(order)
        if found[0] < best[0]:
            best = found
        else:
            order[[one, other]] = order[[other, one]]
    return best[1], best[2][:40], best[2][40:]


def bounds(wanted: Target, covariance: ndarray) -> ndarray:
    """Best accuracy of each label (40,) given every drawn appearance, of labels that exclude nothing.

    It is how often noise leaves the margin's sign alone. Attractive's own appearance is not drawn, so the part of it
    that the other 39 do not determine counts as noise.
    """
    r = wanted.reliability.copy()
    r[COLUMN["Attractive"]] *= np.sqrt(1 - 1 / np.linalg.inv(covariance)[COLUMN["Attractive"], COLUMN["Attractive"]])
    grid = np.linspace(-9, 9, 200_001)
    margin = r[:, None] * grid - norm.isf(wanted.share)[:, None]
    best = norm.cdf(np.abs(margin) / np.sqrt(1 - r**2)[:, None])
    return (best * norm.pdf(grid)).sum(1) * (grid[1] - grid[0])


def bounds_of_hair(margin: ndarray, noise: ndarray) -> ndarray:
    """The same for the four hair colours, whose labels exclude each other, by the margins (n, 4) of drawn faces."""
    best = np.zeros(4)
    z, weight = np.polynomial.hermite_e.hermegauss(60)
    for colour in range(4):
        seen = margin[:, colour, None] + noise[colour] * z  # n 60: what the annotator sees of this colour
        wins = seen > 0
        chance = np.where(wins, weight / weight.sum(), 0.0)
        for other in set(range(4)) - {colour}:
            chance = chance * norm.cdf((seen - margin[:, other, None]) / noise[other])
        chance = chance.sum(1)
        best[colour] = np.maximum(chance, 1 - chance).mean()
    return best


def calibrate(edges: int = EDGES, faces: int = 300_000) -> dict:
    """The content of ``structure.json``; ``faces`` are drawn to see what the exclusion of hair colours does."""
    facts, wanted = celeba(), target()
    partial, colours = graph(edges), list(structure.HAIR_COLOURS)
    for correction in range(CORRECTIONS + 1):
        partial = gaussian.refit(wanted, partial, RIDGE, 60)
        content = _content(wanted, partial, search=correction == CORRECTIONS)
        drawn = sample(torch.arange(faces), SEED, structure.from_json(content))
        if correction == CORRECTIONS:
            break
        # The labels should be CelebA's after the exclusion, so before it they are what differs by its effect.
        share = facts.share.copy()
        share[colours] += (wanted.share - drawn.attributes.double().mean(0).numpy())[colours]
        effect = np.zeros((40, 40))
        effect[wanted.pairs] = np.corrcoef(drawn.attributes.numpy().T)[wanted.pairs]
        effect[wanted.pairs] -= wanted.phi(gaussian.covariance(partial))
        effect[~np.isin(np.arange(40), colours)[:, None] & ~np.isin(np.arange(40), colours)] = 0
        wanted = target(share, facts.correlation - effect - effect.T)
    margin = drawn.margin.numpy()[:, colours]
    bound, median = np.array(content["bound"]), np.array(content["median"])
    bound[colours] = bounds_of_hair(margin[:50_000], np.array(content["noise"])[colours])
    median[:, colours] = [[np.median(m[(m > 0) == drawn]) for m in margin.T] for drawn in (False, True)]
    return content | {"bound": bound.round(4).tolist(), "median": median.round(4).tolist()}


def _content(wanted: Target, partial: ndarray, search: bool) -> dict:
    edges = [
        [ATTRIBUTES[i], ATTRIBUTES[j], round(float(partial[i, j]), 4)]
        for i, j in zip(*wanted.pairs, strict=True)
        if partial[i, j]
    ]
    covariance = gaussian.covariance(partial.round(4))
    threshold = (norm.isf(wanted.share) / wanted.reliability).round(4)
    mixing, stable, opinion = stability(wanted, covariance, TRIALS if search else 0)
    drawn = norm.sf(threshold)
    smile, parted = drawn[COLUMN["Smiling"]], drawn[COLUMN["Mouth_Slightly_Open"]]
    rho = covariance[COLUMN["Smiling"], COLUMN["Mouth_Slightly_Open"]]
    both = gaussian.phi(rho, smile, parted) * np.sqrt(smile * (1 - smile) * parted * (1 - parted)) + smile * parted
    cells = np.array([1 - smile - parted + both, parted - both, smile - both, both])
    prior, posterior, table = expression_table.fit(cells)
    return {
        "version": VERSION,
        "attributes": ATTRIBUTES,
        "threshold": threshold.tolist(),
        "mixing": mixing.round(6).tolist(),
        "stable": stable.round(4).tolist(),
        "noise": (np.sqrt(1 - wanted.reliability**2) / wanted.reliability).round(4).tolist(),
        "opinion": opinion.round(4).tolist(),
        "bound": bounds(wanted, covariance).round(4).tolist(),
        "median": np.stack([norm.ppf((1 - drawn) / 2) - threshold, norm.isf(drawn / 2) - threshold]).round(4).tolist(),
        "pallor": PALLOR,
        "prior": prior.tolist(),
        "posterior": posterior.tolist(),
        "au_table": table.tolist(),
        "edges": edges,
    }


def text(content: dict) -> str:
    """The file: one row of numbers on one line."""

    def value(part: object) -> str:
        if isinstance(part, list) and part and isinstance(part[0], list):
            return "[\n  " + ",\n  ".join(map(json.dumps, part)) + "\n ]"
        return json.dumps(part)

    return "{\n" + ",\n".join(f' "{key}": {value(part)}' for key, part in content.items()) + "\n}\n"


def _rows(name: str) -> list[dict[str, str]]:
    with (repository() / "data" / "celeba" / name).open() as file:
        return list(csv.DictReader(file))


if __name__ == "__main__":
    if sys.argv[1:] == ["--report"]:
        from mtlib.faces import report  # it stands above this module

        print(report.text(report.measure()))
    else:
        fitted = calibrate()
        if structure.FILE.exists():  # measured from the drawings, not fitted
            fitted["pixels"] = json.loads(structure.FILE.read_text()).get("pixels")
        write_atomic(structure.FILE, text(fitted))
