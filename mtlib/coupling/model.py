"""The network of the paper and its losses, Eq. (1): classes and attributes, coupled by what relates them."""

from typing import Literal, get_args

import torch
from torch import Tensor, nn

from mtlib.coupling.co_annotation import (
    CoAnnotationForm,
    Neutral,
    co_annotation_loss,
    indicators,
    posterior,
    soft_labels,
)
from mtlib.coupling.matching import MatchingForm, matching_loss, mixture
from mtlib.coupling.relations import Relations
from mtlib.method import Losses, Method
from mtlib.tasks import Batch, Task, block_losses

Form = Literal["mended", "printed"]
SoftLabels = Literal["indicators", "bayes"]


class Coupled(Method):
    """A shared trunk with a linear head for classes and one for attributes, and two losses that couple them.

        L = L_classes + L_attributes + matching * L_DM + co_annotation * L_SCA                                  Eq. (1)

    L_classes is the mean cross-entropy of the images with a class, L_attributes that of the images with any attribute,
    each the mean over its annotated attributes; so ``Losses.tasks`` are two values, one per block. L_DM counts every
    image, L_SCA those that have attributes and no class (X-13), or all that have attributes with ``everywhere``.

    Any other network is coupled by ``coupling``, on its outputs and the labels.

    Args:
        trunk: module giving (B, features).  features: its width.
        classes: a Task of kind "classes" with one column, K classes.
        attributes: a Task of kind "binary", M columns.
        relations: K classes by M attributes, in the tasks' order; None: no coupling.
        matching, co_annotation: weights of Eqs. (3) and (6); 1 in the paper, 0 leaves one out.
        form: ``mended``, or both losses as ``printed`` (X-1, X-3); for the matching loss any of its forms.
        detach: no gradient from the matching loss to the classes.
        temperature: of Eq. (5).  neutral: of Eq. (4), see ``indicators``.
        labels: soft labels from ``indicators``, or by ``bayes``, see ``posterior``.
        everywhere: co-annotate images that have a class, too.

    Raises:
        ValueError: tasks of other kinds, relations of another size, a weight or temperature that cannot be.
    """

    probability: Tensor
    weight: Tensor
    listed: Tensor

    def __init__(
        self,
        trunk: nn.Module,
        features: int,
        classes: Task,
        attributes: Task,
        relations: Relations | None = None,
        *,
        matching: float = 1.0,
        co_annotation: float = 1.0,
        form: MatchingForm = "mended",
        detach: bool = False,
        temperature: float = 1.0,
        neutral: Neutral = "zero",
        labels: SoftLabels = "indicators",
        everywhere: bool = False,
    ) -> None:
        super().__init__()
        _check(classes, attributes, relations)
        for name, value in {"matching": matching, "co_annotation": co_annotation}.items():
            if not 0 <= value < float("inf"):
                raise ValueError(f"{name} must be a finite weight of 0 or more, got {value!r}")
        for name, value, kinds in (("form", form, MatchingForm), ("labels", labels, SoftLabels)):
            if value not in get_args(kinds):
                raise ValueError(f"{name} is one of {', '.join(get_args(kinds))}, got {value!r}")
        soft_labels(torch.zeros(1, 2), temperature)  # refuses a bad temperature now
        indicators(torch.zeros(1, 1), torch.zeros(1, 1), neutral)
        self.tasks = (classes, attributes)
        self.matching, self.co_annotation = float(matching), float(co_annotation)
        self.form, self.detach, self.temperature, self.neutral = form, detach, float(temperature), neutral
        self.labels, self.everywhere = labels, everywhere
        self.trunk = trunk
        self.class_head = nn.Linear(features, classes.classes)
        self.attribute_head = nn.Linear(features, len(attributes.columns))
        self.coupled = relations is not None
        shape = (classes.classes, len(attributes.columns))
        self.register_buffer("probability", relations.probability.clone() if self.coupled else torch.zeros(shape))
        self.register_buffer("weight", relations.weight.clone() if self.coupled else torch.zeros(shape))
        self.register_buffer("listed", (self.weight > 0).any(0))

    @property
    def loss_names(self) -> tuple[str, ...]:
        """One loss per block."""
        return tuple(task.name for task in self.tasks)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """{classes: (B, 1, K) logits, attributes: (B, M) logits}."""
        return self.predict(self.trunk(x))

    def predict(self, h: Tensor) -> dict[str, Tensor]:
        """The same from the trunk's features (B, features)."""
        classes, attributes = self.tasks
        return {classes.name: self.class_head(h).unsqueeze(1), attributes.name: self.attribute_head(h)}

    def losses(self, batch: Batch) -> Losses:
        """Eq. (1): L_classes and L_attributes as ``tasks`` (2,), the coupling's two as extra terms."""
        h = self.trunk(batch.x)
        outputs = self.predict(h)
        return Losses(block_losses(self.tasks, outputs, batch.y), self.coupling(outputs, batch.y), features=h)

    def coupling(self, outputs: dict[str, Tensor], y: dict[str, Tensor]) -> dict[str, Tensor]:
        """Eqs. (2) to (6) on any network's outputs and labels: the terms that have a weight, already scaled."""
        if not self.coupled:
            return {}
        classes, attributes = self.tasks
        z, logits = outputs[classes.name].squeeze(1), outputs[attributes.name]
        terms = {}
        if self.matching:
            q = mixture(z.to(self.probability.dtype).softmax(1), self.probability)
            terms["matching"] = self.matching * matching_loss(logits, q, self.listed, self.form, self.detach)
        if self.co_annotation:
            labels = y[attributes.name]
            counts = (labels >= 0).any(1)
            if not self.everywhere:
                counts = counts & (y[classes.name] < 0).squeeze(1)
            form: CoAnnotationForm = "printed" if self.form == "printed" else "mended"
            terms["co-annotation"] = self.co_annotation * co_annotation_loss(z, self.soft(labels), counts, form)
        return terms

    def soft(self, labels: Tensor) -> Tensor:
        """(B, K) soft class labels of attribute labels (B, M)."""
        if self.labels == "bayes":
            return posterior(labels, self.probability)
        return soft_labels(indicators(labels, self.weight, self.neutral), self.temperature)


def _check(classes: Task, attributes: Task, relations: Relations | None) -> None:
    if not isinstance(classes, Task) or classes.kind != "classes" or len(classes.columns) != 1:
        raise ValueError(f"classes are a Task of kind 'classes' with one column, got {classes!r}")
    if not isinstance(attributes, Task) or attributes.kind != "binary":
        raise ValueError(f"attributes are a Task of kind 'binary', got {attributes!r}")
    if relations is None:
        return
    if not isinstance(relations, Relations):
        raise ValueError(f"relations are Relations or None, got {relations!r}")
    if relations.attributes != tuple(attributes.columns) or len(relations.classes) != classes.classes:
        raise ValueError(
            f"relations are of {len(relations.classes)} classes and {', '.join(relations.attributes[:3])}, ...; the "
            f"tasks have {classes.classes} classes and {', '.join(attributes.columns[:3])}, ... in this order"
        )
