"""torchvision, also beside a torch that it was not built for.

torchvision's wheels for Linux are built for CUDA. Beside a CPU-only torch its compiled part does not load, and its
import fails at the declaration of two operators that this course never calls. Declaring them lets all the rest work:
data sets, networks, transforms. torchmetrics imports torchvision and fails alike, so it comes through here as well.
"""

import importlib
from functools import cache
from types import ModuleType

import torch

_MISSING = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)
_DECLARED: list[torch.library.Library] = []  # declarations live as long as their library


@cache
def torchvision() -> ModuleType:
    """The module torchvision; where it imports by itself, nothing else is done.

    Raises:
        ModuleNotFoundError: it is not installed.
        RuntimeError: it does not import for another reason than the two operators.
    """
    try:
        return importlib.import_module("torchvision")
    except RuntimeError as error:
        if "torchvision::nms" not in str(error):
            raise
    library = torch.library.Library("torchvision", "DEF")
    for operator in _MISSING:
        library.define(operator)
    _DECLARED.append(library)
    return importlib.import_module("torchvision")


def torchmetrics() -> ModuleType:
    """The module torchmetrics, after torchvision.

    Raises:
        ModuleNotFoundError: it is not installed.
    """
    torchvision()
    return importlib.import_module("torchmetrics")
