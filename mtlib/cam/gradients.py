"""Grad-CAM (Selvaraju et al. 2017) by captum: maps weighted by gradients, for networks of any neck and any heads."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from mtlib.cam.maps import evaluating, parts_of, trunk_of
from mtlib.lazy import Lazy
from mtlib.method import Method
from mtlib.tasks import Task


class _Outputs(nn.Module):
    """A method's outputs of one task, flat (B, columns x outputs), as captum asks for."""

    def __init__(self, method: Method, task: Task) -> None:
        super().__init__()
        self.method, self.task = method, task

    def forward(self, x: Tensor) -> Tensor:
        return self.method(x)[self.task.name].flatten(1)


def grad_cam(
    method: Method,
    x: Tensor | Lazy,
    task: str,
    columns: Sequence[str] | None = None,
    *,
    relu: bool = True,
    rows: int = 256,
) -> Tensor:
    """sum_k a_kc g_k(x, y), where a_kc is the mean over places of d z_c / d g_k, through a ReLU.

    Where the features are the mean of the maps and the heads are linear, a_kc = w_kc / (h w): Grad-CAM is then the
    class activation map over h w, and its positive part after the ReLU. Parameters keep the gradients they had.

    Args:
        method: one whose ``trunk`` has a last map.  x: (B, C, H, W) images.
        task, columns: whose outputs; all columns of the task by default. A column of classes has a map per class.
        relu: False keeps evidence against the output as well.
        rows: how many images are put through the network at a time; every map takes a pass.

    Returns:
        (B, n, h, w), in the order of ``columns``.

    Raises:
        ValueError: no last map, no such task or column, or rows below 1.
        ModuleNotFoundError: captum is not installed.
    """
    from captum.attr import LayerGradCam

    trunk = trunk_of(method)
    chosen, targets = _targets(method, task, columns)
    parts = []
    with evaluating(method), torch.enable_grad(), _asking(trunk.body):
        grads = LayerGradCam(_Outputs(method, chosen), trunk.body)
        for images in parts_of(method, x, rows):
            maps = [grads.attribute(images, target=target, relu_attributions=relu) for target in targets]
            parts.append(torch.cat(maps, 1).detach())
    return torch.cat(parts)


@contextmanager
def _asking(body: nn.Module) -> Iterator[None]:
    """Within the block the last map asks for a gradient, also where filters are frozen and images are bytes."""

    def ask(body: nn.Module, images: tuple[Tensor], g: Tensor) -> Tensor:
        return g if g.requires_grad else g.requires_grad_()

    hook = body.register_forward_hook(ask)
    try:
        yield
    finally:
        hook.remove()


def _targets(method: Method, task: str, columns: Sequence[str] | None) -> tuple[Task, list[int]]:
    """The task, and the places of the chosen columns among its flat outputs."""
    tasks = {each.name: each for each in method.tasks}
    if task not in tasks:
        raise ValueError(f"grad_cam: there is no task {task!r}; there are {', '.join(tasks)}")
    chosen = tasks[task]
    names = tuple(chosen.columns if columns is None else columns)
    wrong = [name for name in names if name not in chosen.columns]
    if isinstance(columns, str) or wrong or not names:
        raise ValueError(f"grad_cam: columns of {task!r} are one or more of its own, got {columns!r}")
    each = chosen.outputs if chosen.kind == "classes" else 1
    places = [chosen.columns.index(name) for name in names]
    return chosen, [place * each + output for place in places for output in range(each)]
