"""A Siamese face verifier: contrastive losses over all pairs of a batch (Eqs. 17 to 19), and attributes beside them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mtlib import choices
from mtlib.lazy import Lazy
from mtlib.method import Losses, Method
from mtlib.tasks import Batch, Task, by_block, check_tasks, supervised


@dataclass(frozen=True)
class Coupling:
    """How Eqs. (17) to (19) are read (M-23).

    Args:
        margin: m, above 0. On normalised embeddings D^2 goes from 0 to 4, and is 1 at 60 degrees.
        hinge: of impostor pairs. ``printed``: max(0, m - D^2) / 2, which has no gradient at D = 0, so that an
            embedding that makes all faces one stays as it is. ``usual``: max(0, m - D)^2 / 2, which has.
        average: ``balanced``: half the mean over genuine pairs and half that over impostor pairs, i != j.
            ``printed``: the mean over all N^2, i = j among them, which is mostly impostors'.

    Raises:
        ValueError: another hinge or average, or a margin that is not above 0.
    """

    margin: float = 1.0
    hinge: Literal["printed", "usual"] = "printed"
    average: Literal["balanced", "printed"] = "balanced"

    def __post_init__(self) -> None:
        choices.check(self)
        if not 0 < self.margin < math.inf:
            raise ValueError(f"coupling: the margin must be a finite number above 0, got {self.margin!r}")


DEFAULT = Coupling()


def coupling(z: Tensor, identity: Tensor, reading: Coupling = DEFAULT) -> Tensor:
    """L_cpl of Eq. (19), a scalar: genuine pairs are drawn together, impostor pairs pushed apart up to the margin.

    A kind of pairs that a batch does not have adds 0.

    Args:
        z: (B, d) embeddings.  identity: (B,) whole numbers; below 0 who it is is not known, and no pair is made.
    """
    z = z.to(torch.promote_types(z.dtype, torch.float32))
    # From differences and not from products, whose rounding would be all that is left of small distances.
    distance = torch.cdist(z, z, compute_mode="donot_use_mm_for_euclid_dist")  # B B
    known = (identity >= 0).to(z.dtype)
    pairs = known.unsqueeze(1) * known
    same = (identity.unsqueeze(1) == identity).to(z.dtype)  # 1 - c(i, j)
    genuine = distance.square() / 2  # (17)
    if reading.hinge == "printed":
        impostor = (reading.margin - distance.square()).clamp(min=0) / 2  # (18)
    else:
        impostor = (reading.margin - distance).clamp(min=0).square() / 2
    if reading.average == "printed":
        return (pairs * (same * genuine + (1 - same) * impostor)).sum() / pairs.sum().clamp(min=1)
    others = 1 - torch.eye(len(z), dtype=z.dtype, device=z.device)  # i != j
    return (_mean(genuine, pairs * same * others) + _mean(impostor, pairs * (1 - same))) / 2


class Siamese(Method):
    """A face verifier: one embedding for both of a pair, and attributes that are predicted from it.

        L_cpl(z / |z|) + attributes * mean BCE + matching * L_cpl(probabilities of the invariant attributes)

    Without tasks only the first term is left: the baseline. The attributes read the embedding z before its length is
    taken off, where a logit can be large. The last term makes what belongs to a person, such as gender, alike in
    genuine pairs and different in impostor pairs, as printed; two women are an impostor pair as well, and there it
    works against the labels. Of the mean squared difference between probabilities, 0 to 1, it has a margin of its own.

    Weights of terms, the attributes' set and this margin are not printed (M-23). ``Losses.tasks`` carry their weight
    over their number, so that forty attributes count as much as one.

    Args:
        trunk: module giving (B, features).  features: its width.
        tasks: blocks of attributes, or none.  embedding: d, the width of z.
        attributes, matching: weights, 0 or more.
        invariant: names of binary columns that belong to the person; without any there is no matching.
        matching_margin: of the last term, above 0, 1 at most.
        reading: of the first term, and of the last but for its margin.
        identity: where among the labels it says who is shown: (B, 1) whole numbers, below 0 where it is not known.

    Raises:
        ValueError: a size, weight or margin that cannot be, or an invariant column that is not a binary one.
    """

    def __init__(
        self,
        trunk: nn.Module,
        features: int,
        tasks: Sequence[Task] = (),
        embedding: int = 128,
        *,
        attributes: float = 1.0,
        invariant: Sequence[str] = (),
        matching: float = 1.0,
        matching_margin: float = 0.25,
        reading: Coupling = DEFAULT,
        identity: str = "identity",
    ) -> None:
        super().__init__()
        if isinstance(embedding, bool) or not isinstance(embedding, int) or embedding < 1:
            raise ValueError(f"embedding must be a whole number of 1 or more, got {embedding!r}")
        for name, weight in (("attributes", attributes), ("matching", matching)):
            if not isinstance(weight, int | float) or not 0 <= weight < math.inf:
                raise ValueError(f"{name} must be a finite number of 0 or more, got {weight!r}")
        if not 0 < matching_margin <= 1:
            raise ValueError(f"matching_margin must be above 0, 1 at most, got {matching_margin!r}")
        self.tasks = check_tasks(tasks) if len(tasks) else ()
        self.trunk, self.embedding = trunk, nn.Linear(features, embedding)
        self.heads = nn.ModuleList(nn.Linear(embedding, task.heads * task.outputs) for task in self.tasks)
        self.attributes, self.matching, self.reading, self.identity = attributes, matching, reading, identity
        self.matched = Coupling(matching_margin, reading.hinge, reading.average)
        binary = [name for task in self.tasks if task.kind == "binary" for name in task.columns]
        wrong = [name for name in invariant if name not in binary]
        if wrong or isinstance(invariant, str):
            raise ValueError(
                f"invariant: names of binary columns, {', '.join(binary) or 'of which there are none'}; "
                f"got {invariant!r}"
            )
        self.invariant = [binary.index(name) for name in invariant]

    def embed(self, x: Tensor) -> Tensor:
        """The embedding that is compared, (B, d), of length 1."""
        return F.normalize(self.embedding(self.trunk(x)), dim=1)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """The attributes' outputs, see Task; {} without tasks."""
        return self.predict(self.embedding(self.trunk(x)))

    def predict(self, z: Tensor) -> dict[str, Tensor]:
        """The same from embeddings (B, d) before they are normalised."""
        return {
            task.name: by_block(task, head(z).view(len(z), task.heads, task.outputs))
            for task, head in zip(self.tasks, self.heads, strict=True)
        }

    def losses(self, batch: Batch) -> Losses:
        """Attributes one by one, ``coupling`` (Eqs. 17 to 19), and ``matching`` if there is anything to match."""
        if self.identity not in batch.y:
            raise ValueError(f"no labels {self.identity!r}, who is shown; the batch has {sorted(batch.y)}")
        who = batch.y[self.identity].squeeze(1)  # B
        h = self.trunk(batch.x)
        z = self.embedding(h)
        extra = {"coupling": coupling(F.normalize(z, dim=1), who, self.reading)}
        if not self.tasks:
            return Losses(extra["coupling"].new_zeros(0), extra, features=h)
        outputs = self.predict(z)
        each = supervised(self.tasks, outputs, batch.y)
        if self.invariant:
            logits = torch.cat([outputs[task.name] for task in self.tasks if task.kind == "binary"], 1)
            p = logits[:, self.invariant].sigmoid() / math.sqrt(len(self.invariant))  # D^2: a mean over attributes
            extra["matching"] = self.matching * coupling(p, who, self.matched)
        return Losses(self.attributes / len(each) * each, extra, features=h)


@torch.no_grad()
def embeddings(method: Siamese, x: Tensor | Lazy, rows: int = 1024) -> Tensor:
    """Embeddings (N, d) of images (N, ...), ``rows`` at a time, in evaluation mode; modes are as before afterwards."""
    modes = {module: module.training for module in method.modules()}
    method.eval()
    try:
        return torch.cat([method.embed(part.to(method.embedding.weight.device)) for part in x.split(rows)])
    finally:
        for module, training in modes.items():
            module.training = training


def distances(z: Tensor, first: Tensor, second: Tensor) -> Tensor:
    """Distances (P,) between embeddings (N, d), of the pairs of rows first (P,) and second (P,)."""
    return (z[first] - z[second]).norm(dim=1)


def every_pair(identity: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """All pairs of N pictures, each once: first (P,), second (P,), same (P,) 1 or 0; unknown people, below 0, in none.

    Args:
        identity: (N,) whole numbers.
    """
    known = (identity >= 0).nonzero().flatten()
    first, second = torch.combinations(known).unbind(1)
    return first, second, (identity[first] == identity[second]).long()


def _mean(values: Tensor, weights: Tensor) -> Tensor:
    """The mean by weights of 0 and 1; 0 without any."""
    return (values * weights).sum() / weights.sum().clamp(min=1)
