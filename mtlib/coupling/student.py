"""The paper's baseline without relations: teachers of one task each label what the other data base lacks."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mtlib.coupling.model import Coupled
from mtlib.method import Losses
from mtlib.tasks import Batch, Task


class Student(Coupled):
    """A network without coupling that also learns teachers' probabilities where labels are missing (X-24).

        L = L_classes + L_attributes + L_taught classes + L_taught attributes

    The two further terms are cross-entropies with the teachers' probabilities as soft labels, the means over the
    images without a class and over those without any attribute, of weight 1; the attributes' is also a mean over them.

    Args:
        trunk, features, classes, attributes: as for ``Coupled``.
        class_teacher, attribute_teacher: trained networks, x -> {task name: logits}; they do not train.
    """

    def __init__(
        self,
        trunk: nn.Module,
        features: int,
        classes: Task,
        attributes: Task,
        class_teacher: nn.Module,
        attribute_teacher: nn.Module,
    ) -> None:
        super().__init__(trunk, features, classes, attributes)
        self.teachers = nn.ModuleList([class_teacher, attribute_teacher]).requires_grad_(False)

    def train(self, mode: bool = True) -> "Student":
        """The student's mode; teachers stay as they are when they are asked."""
        super().train(mode)
        self.teachers.eval()
        return self

    def groups(self) -> list[dict]:
        """The student's own parameters."""
        return [{"params": [p for p in self.parameters() if p.requires_grad], "rate": 1.0}]

    def losses(self, batch: Batch) -> Losses:
        """As ``Coupled``, and the two terms of the teachers."""
        found = super().losses(batch)
        outputs = self.predict(found.features)
        classes, attributes = self.tasks
        with torch.no_grad():
            said = [teacher(batch.x)[task.name] for teacher, task in zip(self.teachers, self.tasks, strict=True)]
        by_class = -(said[0].softmax(-1) * outputs[classes.name].log_softmax(-1)).sum(-1).squeeze(1)  # B
        by_attribute = F.binary_cross_entropy_with_logits(
            outputs[attributes.name], said[1].sigmoid(), reduction="none"
        ).mean(1)
        found.extra["taught classes"] = _mean(by_class, (batch.y[classes.name] < 0).squeeze(1))
        found.extra["taught attributes"] = _mean(by_attribute, (batch.y[attributes.name] < 0).all(1))
        return found


def _mean(loss: Tensor, counts: Tensor) -> Tensor:
    """The mean of loss (B,) over the images that count (B,) bool; 0 if none does."""
    return (loss * counts).sum() / counts.sum().clamp(min=1)
