"""What the soft labels of Eqs. (4) and (5) are worth where classes are people: from labels alone, untrained."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from mtlib.coupling import Relations, counted, indicators, posterior, soft_labels
from mtlib.experiments.class_data import labelled, parts
from mtlib.faces.names import ATTRIBUTES
from mtlib.tasks import Dataset

TEMPERATURES = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0)


@dataclass(frozen=True)
class People:
    """Labels of drawn people: who (n,) and attributes (n, 40) of training faces, and of test faces."""

    who: Tensor
    y: Tensor
    test_who: Tensor
    test_y: Tensor

    def relations(self, smoothing: float = 1.0) -> Relations:
        """Counted from the training faces."""
        names = [f"person {k}" for k in range(int(self.who.max()) + 1)]
        return counted(names, ATTRIBUTES, self.who.unsqueeze(1), self.y, smoothing)


def people(number: int, seed: int) -> People:
    """So many drawn people, split within each person as ``class_data.drawn`` does; nothing is painted."""
    _, who, y = labelled(number, seed)
    part = parts(who, seed)
    return People(who[part == 0], y[part == 0], who[part == 2], y[part == 2])


def soft(y: Tensor, relations: Relations, kind: str, temperature: float = 1.0) -> Tensor:
    """Soft class labels (B, K) of attribute labels (B, M): by ``indicators``, Eqs. (4) and (5), or by ``Bayes``."""
    if kind == "Bayes":
        return posterior(y, relations.probability)
    return soft_labels(indicators(y, relations.weight), temperature)


def worth(
    data: Dataset, relations: Relations, temperatures: Sequence[float] = TEMPERATURES
) -> dict[str, dict[str, list[float]]]:
    """What soft labels of the test examples say of their classes.

    Returns:
        {"indicators", "Bayes": {"own": mean probability of the right class, "largest": mean largest one, "first":
        share of examples whose largest is right}}; one per temperature, Bayes' rule has one alone.
    """
    classes, attributes = (data.test.y[task.name].cpu() for task in data.tasks)
    known = (classes >= 0).squeeze(1)
    classes, attributes = classes[known].long(), attributes[known]

    def told(q: Tensor) -> tuple[float, float, float]:
        right = q.argmax(1, keepdim=True) == classes
        return q.gather(1, classes).mean().item(), q.amax(1).mean().item(), right.double().mean().item()

    columns = [told(soft(attributes, relations, "indicators", each)) for each in temperatures]
    alone = [told(soft(attributes, relations, "Bayes"))]
    keys = ("own", "largest", "first")
    return {
        name: dict(zip(keys, map(list, zip(*own, strict=True)), strict=True))
        for name, own in (("indicators", columns), ("Bayes", alone))
    }


def effective(q: Tensor) -> Tensor:
    """(B,) among how many classes soft labels (B, K) leave one in doubt: the exponential of their entropy."""
    return torch.special.entr(q).sum(1).exp()
