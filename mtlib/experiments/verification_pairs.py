"""Verification of real photographs: the AT&T faces, trained and tested here, and any list of pairs, tested only.

Pairs of the AT&T faces are all pairs of pictures of twenty people; the other twenty people are trained on. LFW and a
manifest (IJB comes as one) bring lists of pairs that do not say who is on them: a network is tested on them, no more.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor

from mtlib import datasets
from mtlib.datasets import Pairs
from mtlib.experiments import verification_scores as scores
from mtlib.experiments.verification_table import RATE
from mtlib.lazy import Lazy
from mtlib.metrics.pairs import fold_accuracy
from mtlib.networks import averaged
from mtlib.recipe import Recipe
from mtlib.rows import Identities
from mtlib.seeds import seeded
from mtlib.tasks import Dataset
from mtlib.training import fit
from mtlib.verification import Siamese, embeddings, true_match_rate

ATT = "att_faces"
WHO = "identity"
GREY = 1
PEOPLE, EACH = 8, 4  # of a batch: twenty people are too few for sixteen
# The rate of the drawn faces: with people to train on and people to test on, there is nobody left to choose it by.
RECIPE = Recipe(steps=256, batch=PEOPLE * EACH, rate=RATE)
RESAMPLES = 200
AT_ONCE = 1024

Embed = Callable[[Tensor], Tensor]  # pictures (N, C, H, W) -> (N, d)


def real_pairs(
    name: str = ATT,
    root: Path | str | None = None,
    seeds: Sequence[int] = (0, 1, 2),
    *,
    recipe: Recipe = RECIPE,
    size: int = 32,
    cache: Path | str | None = None,
) -> list[dict]:
    """A Siamese network per seed, an untrained one, and the distance between pixels, on people it never saw.

    Args:
        name: ``att_faces``, the one set with people to train on and others to test on.
        root, cache: folders, as for ``datasets.load``.
        seeds: of the networks; the people are the same for all.
        recipe: of the training; its batch is a multiple of 4.
        size: pixels.

    Returns:
        Rows {"data", "arm" ("pixels", "untrained" or "trained"), "seed", "people" (tested on)} with what
        ``verification_scores.scored`` says; of the first seed also "interval": low and high end of "true match at 1 %",
        per cent, over people (other rows: None). Pixels have one row, of the first seed.

    Raises:
        ValueError: another set, no seed, or a batch that is no multiple of 4.
        FileNotFoundError: the set is not there.
    """
    if name != ATT or not seeds:
        raise ValueError(
            f"there are people to train on and others to test on in {ATT} alone, for one seed or more; got {name!r}, "
            f"{list(seeds)}. Pairs of other sets are for score_pairs"
        )
    if recipe.batch % EACH:
        raise ValueError(f"batches hold {EACH} pictures of each person: a multiple of {EACH}, got {recipe.batch}")
    torch.set_num_threads(1)  # as in face_table
    data = datasets.load(name, root=root, split="people", size=size, channels=GREY, tasks=(WHO,), cache=cache)
    rows = [_row(data, "pixels", seeds[0], scores.pixels, True)]
    for seed in seeds:
        method = network(seed)
        rows.append(_row(data, "untrained", seed, lambda x, own=method: embeddings(own, x), seed == seeds[0]))
        batches = Identities(data.train.y[WHO][:, 0], people=recipe.batch // EACH, each=EACH, seed=seed)
        if fit(method, data, recipe, rows=batches, seed=seed).interrupted:
            raise KeyboardInterrupt  # half a network must not be scored
        rows.append(_row(data, "trained", seed, lambda x, own=method: embeddings(own, x), seed == seeds[0]))
    return rows


def network(seed: int, channels: int = GREY) -> Siamese:
    """A Siamese network that knows of nothing but identities, with the initial weights of a seed."""
    with seeded("verification of photographs", seed):
        trunk = averaged(channels)
        return Siamese(trunk, trunk.features)


def _row(data: Dataset, arm: str, seed: int, embed: Embed, first: bool) -> dict:
    who = data.test.y[WHO][:, 0]
    found = scores.all_pairs(embed(data.test.x), who)
    row = {"data": data.name, "arm": arm, "seed": seed, "people": len(who.unique()), "interval": None}
    if first:
        rate = true_match_rate(found.distances, found.people, scores.EVERYBODY, resamples=RESAMPLES)
        row["interval"] = [100 * rate.low, 100 * rate.high]
    return row | scores.scored(found.distances, found.same)


# ------------------------------------------------------------------ lists of pairs


def score_pairs(method: Siamese | None, pairs: Pairs) -> dict[str, object]:
    """What a trained network says of a list of pairs.

    Args:
        method: on the CPU, for pictures of these channels; None for the distance between pixels.
        pairs: as ``datasets.pairs`` gives them.

    Returns:
        {"data", "fold accuracy": None or {"mean", "standard error" (over the folds), "folds"} in per cent} with what
        ``verification_scores.scored`` says. Who is on the pictures is not told, so there is no interval over people.

    Raises:
        ValueError: as ``metrics.pairs.verification`` and ``fold_accuracy``.
    """
    parts = [_vectors(method, pairs.x[rows]) for rows in torch.arange(len(pairs.x)).split(AT_ONCE)]
    distances, same = scores.apart(torch.cat(parts), pairs.first.cpu(), pairs.second.cpu()), pairs.same.long().cpu()
    row: dict[str, object] = {"data": pairs.name, "fold accuracy": None} | scores.scored(distances, same)
    if len(pairs.fold.unique()) > 1:
        found = fold_accuracy(distances, same, pairs.fold.cpu())
        told = {"mean": 100 * found.mean, "standard error": 100 * found.standard_error}
        row["fold accuracy"] = told | {"folds": [100 * own for own in found.accuracies]}
    return row


def _vectors(method: Siamese | None, x: Tensor | Lazy) -> Tensor:
    return scores.pixels(x) if method is None else embeddings(method, x).cpu()
