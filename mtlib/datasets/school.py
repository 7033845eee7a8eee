"""School: examination scores of pupils at 139 schools of Inner London, the old benchmark of many regressions at once.

28 numbers of a pupil and of his or her school, as the file has them: year (3 columns, one of them 1), share of pupils
with free meals in percent, share of pupils in the first band of verbal reasoning in percent, sex (2), band of verbal
reasoning (3; of fifteen pupils none), ethnic group (11), sexes at the school (3), denomination (3), and 1 for a bias.
"""

from numbers import Integral
from pathlib import Path

import torch
from torch import Tensor

from mtlib.datasets.source import Part, Source, damaged, need, reading
from mtlib.seeds import generator
from mtlib.tasks import Task

TITLE = "School"
SCHOOLS, FEATURES, HIGHEST = 139, 28, 70  # the highest score there is
SPLITS = 10


def read(folder: Path, split: int = 0) -> Source:
    """Task ``exam``: one column per school, points; every pupil has a score at one school and misses the others.

    From ``school.mat`` as the MALSAR package has it: cells X and Y with one table per school. x is (N, 28) float32 as
    in the file, not standardised (``datasets.standardise``); ``source`` is the school, 0 to 138. There are no official
    splits; as usual three quarters of each school's pupils are drawn to train on, ten times (Argyriou, Evgeniou and
    Pontil 2008, whose ten are not published). The pupils' order is drawn, too, so that the first so many of a split
    come from all schools.

    Args:
        folder: of the data set.  split: which of the ten drawn splits, 0 to 9.

    Raises:
        ValueError: another split; or the file is damaged.
        FileNotFoundError: the file is not there.
    """
    if isinstance(split, bool) or not isinstance(split, Integral) or not 0 <= split < SPLITS:
        raise ValueError(f"split is 0 to {SPLITS - 1}, got {split!r}")
    (path,) = need(TITLE, folder, "school.mat")
    x, scores, school = _table(path)
    y = torch.full((len(x), SCHOOLS), float("nan"))
    y[torch.arange(len(x)), school] = scores
    every = Part(x, {"exam": y}, school)
    order, first = _drawn(school, int(split))
    parts = {"train": every.take(order[first]), "test": every.take(order[~first])}
    return Source(TITLE, (Task("exam", "points", tuple(f"school {s + 1}" for s in range(SCHOOLS))),), parts)


def _table(path: Path) -> tuple[Tensor, Tensor, Tensor]:
    """x (N, 28) float32, scores (N,) float32 and schools (N,), school by school."""
    import numpy as np
    from scipy.io import loadmat

    with reading(TITLE, path):
        content = loadmat(path)
        tables, scores = (list(content[name].ravel()) for name in ("X", "Y"))
        fits = len(tables) == len(scores) == SCHOOLS and all(
            x.shape == (len(x), FEATURES) and y.shape == (len(x), 1) for x, y in zip(tables, scores, strict=True)
        )
        if not fits:
            raise ValueError(f"not X and Y of {SCHOOLS} schools with {FEATURES} and 1 columns")
        x, y = (torch.from_numpy(np.vstack(cells).astype("float32")) for cells in (tables, scores))
    if not x.isfinite().all() or not ((y >= 0) & (y <= HIGHEST)).all():
        raise damaged(TITLE, path, f"has numbers that are none, or scores outside 0 to {HIGHEST}")
    sizes = torch.tensor([len(cell) for cell in tables])
    return x, y.flatten(), torch.arange(SCHOOLS).repeat_interleave(sizes)


def _drawn(school: Tensor, split: int) -> tuple[Tensor, Tensor]:
    """An order (N,) of the pupils, and which of them in that order are among the first 3/4 of their school."""
    order = torch.randperm(len(school), generator=generator("school", split))
    drawn = school[order]
    same = (drawn.unsqueeze(1) == torch.arange(SCHOOLS)).long()  # N 139
    place = same.cumsum(0)[torch.arange(len(drawn)), drawn] - 1  # how many of the school come before
    return order, place < (3 * same.sum(0)[drawn] + 2) // 4  # rounded, as 3/4 of 22 is no whole number
