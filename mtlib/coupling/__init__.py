"""Distribution matching and co-annotation (AAAI 2024): two tasks teach each other by what relates their labels.

    from mtlib.coupling import Coupled, counted
    table = counted(class_names, attribute_names, y_class, y_attributes)
    model = Coupled(trunk, features=512, classes=classes, attributes=attributes, relations=table)
    optimiser = torch.optim.Adam(model.parameters())
    for x, y in loader:
        optimiser.zero_grad(); model.losses(Batch(x, y)).total().backward(); optimiser.step()

- ``relations``: what is known beforehand, counted from labels or given; ``printed``: Table 1 of the paper.
- ``matching``: Eqs. (2), (3).  ``co_annotation``: Eqs. (4) to (6).  ``model``: Eq. (1), ``Coupled``.
"""

from mtlib.coupling.co_annotation import co_annotation_loss, indicators, posterior, soft_labels
from mtlib.coupling.matching import matching_loss, mixture
from mtlib.coupling.model import Coupled
from mtlib.coupling.relations import Relations, counted

__all__ = [
    "Coupled",
    "Relations",
    "co_annotation_loss",
    "counted",
    "indicators",
    "matching_loss",
    "mixture",
    "posterior",
    "soft_labels",
]
