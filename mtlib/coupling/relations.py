"""What is known of two tasks before training: which attributes go with which class, and how often."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from mtlib.seeds import generator


@dataclass(frozen=True)
class Relations:
    """A table of classes by attributes: a prior that couples two tasks.

    Args:
        classes: K names.  attributes: M names.
        probability: (K, M) p(attribute | class), 0 to 1, what Eq. (2) mixes.
        weight: (K, M) 0 to 1, how much an attribute speaks for a class in Eq. (4); 0 where nothing links them.

    Raises:
        ValueError: names twice, other shapes, numbers outside 0 to 1.
    """

    classes: Sequence[str]
    attributes: Sequence[str]
    probability: Tensor
    weight: Tensor

    def __post_init__(self) -> None:
        for what in ("classes", "attributes"):
            names = tuple(getattr(self, what))
            if not names or len(set(names)) < len(names):
                raise ValueError(f"relations: {what} need one or more names, each once, got {names}")
            object.__setattr__(self, what, names)
        shape = len(self.classes), len(self.attributes)
        for what in ("probability", "weight"):
            table = torch.as_tensor(getattr(self, what), dtype=torch.float32)
            if tuple(table.shape) != shape:
                raise ValueError(f"relations: {what} must be (K, M) = {shape}, got {tuple(table.shape)}")
            if not ((table >= 0) & (table <= 1)).all():
                raise ValueError(f"relations: {what} must be 0 to 1 everywhere")
            object.__setattr__(self, what, table)

    @property
    def linked(self) -> Tensor:
        """(K, M) bool, which attribute is linked to which class."""
        return self.weight > 0

    @property
    def listed(self) -> Tensor:
        """(M,) bool, attributes that any class is linked to: the others stay out of Eq. (3) (X-2)."""
        return self.linked.any(0)

    def wrong(self, share: float, seed: int) -> "Relations":
        """The same with a share of the links wrong: each of those is exchanged with an unlinked attribute of its class.

        The number of links of each class stays, so that it is told what wrong relations do, not what more of them do.
        A larger share keeps what a smaller one of the same seed exchanges, and where fewer attributes are free than
        links are to be wrong, as many are exchanged as there are free ones. Where a class is linked to every attribute,
        as in counted tables, so many of its values change places among themselves.

        Args:
            share: 0 to 1, of each class's links, rounded.  seed: names which.

        Raises:
            ValueError: a share outside 0 to 1.
        """
        if not 0 <= share <= 1:
            raise ValueError(f"the share of relations that are wrong is 0 to 1, got {share!r}")
        tables = [self.probability.clone(), self.weight.clone()]
        for k, linked in enumerate(self.linked):
            random = generator("wrong relations", seed, k)
            order = torch.randperm(len(linked), generator=random)
            there, free = order[linked[order]], order[~linked[order]]
            n = math.floor(share * len(there) + 0.5)
            if n and not len(free):
                moved = there[:n]
                for table in tables:
                    table[k, moved] = table[k, moved.roll(1)]
                continue
            n = min(n, len(free))
            for table in tables:
                table[k, there[:n]], table[k, free[:n]] = table[k, free[:n]].clone(), table[k, there[:n]].clone()
        return replace(self, probability=tables[0], weight=tables[1])


def counted(
    classes: Sequence[str], attributes: Sequence[str], y_class: Tensor, y_attributes: Tensor, smoothing: float = 1.0
) -> Relations:
    """Relations counted from labels: p(a | c) = (images of c with a + s) / (images of c + 2 s), w = p (X-11, X-12).

    With smoothing s = 0 it is the printed estimate, which has zeros; a class without an image then has p = 0. An image
    counts for an attribute where both its labels are known.

    Args:
        y_class: (N, 1) 0 to K-1.  y_attributes: (N, M) 0/1.  -1 where missing.
        smoothing: s, examples of either kind that every class is given beforehand; 1 is Laplace's rule.

    Raises:
        ValueError: labels that do not fit the names or each other, smoothing below 0.
    """
    n, k, m = len(y_class), len(classes), len(attributes)
    if tuple(y_class.shape) != (n, 1) or tuple(y_attributes.shape) != (n, m):
        shapes = f"{tuple(y_class.shape)} and {tuple(y_attributes.shape)}"
        raise ValueError(f"counted: labels must be (N, 1) and (N, {m}), got {shapes}")
    if n and int(y_class.max()) >= k:
        raise ValueError(f"counted: there are {k} classes, and a label is {int(y_class.max())}")
    if not 0 <= smoothing < math.inf:
        raise ValueError(f"counted: smoothing must be finite and 0 or more, got {smoothing!r}")
    member = (y_class == torch.arange(k, device=y_class.device)).double()  # N K
    known = (y_attributes >= 0).double()
    active = (y_attributes == 1).double()
    with_both, of_class = member.T @ active, member.T @ known  # K M
    table = (with_both + smoothing) / (of_class + 2 * smoothing)
    table = table.nan_to_num(0.0).float().cpu()
    return Relations(classes, attributes, table, table)
