"""The linear playground of notebook 02: 139 regressions on the School data, or on invented schools of known structure.

All estimators of ``school`` minimise squares, so all that they need of the pupils are sums: the Gram matrix of every
school's pupils and their cross products with the scores.
"""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from mtlib import datasets
from mtlib.datasets.school import FEATURES, SCHOOLS
from mtlib.seeds import generator

Kind = Literal["auto", "real", "stand-in"]
STAND_IN = "stand-in: invented schools"
INNER = 4  # one in so many training pupils of a school is kept to choose settings by
CLUSTERS = (60, 45, 34)  # invented schools, by their kind


@dataclass(frozen=True)
class Pupils:
    """x (N, d), the last column 1; y (N,) scores less their training mean, in its standard deviations; school (N,)."""

    x: Tensor
    y: Tensor
    school: Tensor

    def take(self, rows: Tensor) -> "Pupils":
        """The pupils of these rows."""
        return Pupils(self.x[rows], self.y[rows], self.school[rows])


@dataclass(frozen=True)
class Sums:
    """What squares need of N pupils at T schools, all divided by N.

    gram: (T, d, d), sum of x x^T.  cross: (T, d), sum of x y.  square: sum of y^2.
    """

    gram: Tensor
    cross: Tensor
    square: float

    def loss(self, w: Tensor) -> Tensor:
        """Mean squared error over all pupils of the predictors W (d, T)."""
        columns = w.T.unsqueeze(2)  # T d 1
        fit = columns.mT @ self.gram @ columns - 2 * self.cross.unsqueeze(1) @ columns  # T 1 1
        return fit.sum() + self.square

    def explained(self, w: Tensor) -> float:
        """Share of the scores' variance that W (d, T) explains, in per cent."""
        return 100 * (1 - float(self.loss(w)) / self.square)


def sums(pupils: Pupils, schools: int = SCHOOLS) -> Sums:
    """The sums over all pupils, school by school."""
    d, n = pupils.x.shape[1], len(pupils.x)
    gram = torch.zeros(schools, d, d, dtype=torch.double)
    cross = torch.zeros(schools, d, dtype=torch.double)
    gram.index_add_(0, pupils.school, pupils.x.unsqueeze(2) * pupils.x.unsqueeze(1))
    cross.index_add_(0, pupils.school, pupils.x * pupils.y.unsqueeze(1))
    return Sums(gram / n, cross / n, float(pupils.y.square().mean()))


@dataclass(frozen=True)
class Playground:
    """One split. Settings are chosen by ``fit`` and ``choose``, which make up ``train``; ``test`` judges.

    name: what the data are.  kinds: (T,) which kind each invented school is of; None for real ones.
    """

    name: str
    train: Sums
    fit: Sums
    choose: Sums
    test: Sums
    kinds: Tensor | None = None


def load(split: int, dataset: Kind = "auto", root: str | None = None) -> Playground:
    """A split of School where its file is, else of invented schools.

    Args:
        split: which of ten drawn splits; of invented schools it redraws everything.
        dataset: ``real``, ``stand-in``, or ``auto``: real if the file is there.  root: folder of real sets.

    Raises:
        ValueError: another kind of data or split, or a damaged file.
        FileNotFoundError: ``real``, and the file is not there.
    """
    if dataset not in ("auto", "real", "stand-in"):
        raise ValueError(f"dataset is one of auto, real, stand-in, got {dataset!r}")
    if dataset != "stand-in":
        try:
            data = datasets.standardise(datasets.load("school", root=root, split=split))
        except FileNotFoundError:
            if dataset == "real":
                raise
        else:
            parts = [_pupils(each.x, each.y["exam"], each.source) for each in (data.train, data.test)]
            return _playground("School", *parts, split)
    train, test, kinds = invented(split)
    return _playground(STAND_IN, train, test, split, kinds)


def _pupils(x: Tensor, y: Tensor, school: Tensor) -> Pupils:
    x = x.double()
    x[:, -1] = 1  # the bias, which standardising has shifted to 0
    return Pupils(x, y.double().nansum(1), school.long())  # a pupil has a score at one school


def _playground(name: str, train: Pupils, test: Pupils, split: int, kinds: Tensor | None = None) -> Playground:
    mean, spread = train.y.mean(), train.y.std()
    train, test = (Pupils(one.x, (one.y - mean) / spread, one.school) for one in (train, test))
    order = torch.randperm(len(train.y), generator=generator("school", "inner", split))
    place = _place_in_school(train.school[order])
    chosen = order[place % INNER == INNER - 1]
    kept = order[place % INNER != INNER - 1]
    fit, choose = sums(train.take(kept)), sums(train.take(chosen))
    return Playground(name, sums(train), fit, choose, sums(test), kinds)


def _place_in_school(school: Tensor) -> Tensor:
    """How many pupils of the same school come before each, (N,)."""
    order = school.argsort(stable=True)
    ordered = school[order]
    first = torch.searchsorted(ordered, ordered)
    place = torch.empty_like(school)
    place[order] = torch.arange(len(school)) - first
    return place


def invented(seed: int) -> tuple[Pupils, Pupils, Tensor]:
    """Training and test pupils of 139 invented schools, and the schools' kinds (139,).

    Predictors are w_t = common + of its kind + its own, with standard deviations 0.15, 0.2 and 0.1 per feature; noise
    has standard deviation 1. Schools have 20 to 250 pupils, three in four of them to train on, as at School.
    """
    draw = generator("invented schools", seed)
    kinds = torch.repeat_interleave(torch.arange(len(CLUSTERS)), torch.tensor(CLUSTERS))
    common, of_kind, own = (torch.randn(n, FEATURES, generator=draw).double() for n in (1, len(CLUSTERS), SCHOOLS))
    w = 0.15 * common + 0.2 * of_kind[kinds] + 0.1 * own  # T d
    parts = []
    for low, high in ((15, 190), (5, 60)):
        sizes = torch.randint(low, high, (SCHOOLS,), generator=draw)
        school = torch.arange(SCHOOLS).repeat_interleave(sizes)
        x = torch.randn(len(school), FEATURES, generator=draw).double()
        x[:, -1] = 1
        noise = torch.randn(len(school), generator=draw).double()
        parts.append(Pupils(x, (x * w[school]).sum(1) + noise, school))
    return *parts, kinds
