"""One batched program: every copy's loss terms and gradients, from stacked parameters and batches."""

import warnings
from collections.abc import Callable

import torch
import torch.utils._pytree as pytree
from torch import Tensor
from torch.func import functional_call, vmap

from mtlib.ensemble.stack import Batches, Networks
from mtlib.recipe import Recipe

Found = tuple[Tensor, tuple[Tensor | None, ...]]


class Program:
    """(x, y, progress) -> values (K, terms) and the gradients of the totals, one per parameter that is trained, or
    None for one that no loss uses.

    The gradient of the sum over copies is each copy's own gradient, as no copy's loss depends on another's
    parameters: one backward pass serves all.
    """

    def __init__(self, networks: Networks, batches: Batches, recipe: Recipe) -> None:
        self.networks, self.recipe = networks, recipe
        buffers = dict.fromkeys(networks.stacked, 0) | dict.fromkeys(networks.shared)
        labels = dict.fromkeys(batches.y, None if batches.one_labels else 0)
        self.batched = vmap(
            self._one, in_dims=(0, buffers, None if batches.one else 0, labels, None), randomness="different"
        )
        self.run: Callable[..., Found] = self._values_and_gradients
        self.pending = recipe.compile  # compiled at the first call, whose shapes it needs

    def __call__(self, x: Tensor, y: dict[str, Tensor], progress: float) -> Found:
        """Every copy's loss terms and gradients on its batch, drawn by ``Batches``, at a share of the run."""
        parameters = {name: value.detach() for name, value in self.networks.parameters.items()}
        buffers = {**self.networks.stacked, **self.networks.shared}
        kind = x.dtype if x.is_floating_point() else torch.float32
        arguments = (parameters, buffers, x.contiguous(), y, torch.full((), progress, dtype=kind, device=x.device))
        if self.pending:
            self.pending = False
            self.run = _compiled(self._values_and_gradients, arguments)
        return self.run(*arguments)

    def _one(self, parameters: dict, buffers: dict, x: Tensor, y: dict[str, Tensor], progress: Tensor) -> Tensor:
        with torch.autocast(x.device.type, torch.bfloat16, enabled=self.recipe.precision == "bfloat16"):
            return functional_call(self.networks.terms, (parameters, buffers), (x, y, progress))

    def _values_and_gradients(
        self, parameters: dict, buffers: dict, x: Tensor, y: dict[str, Tensor], progress: Tensor
    ) -> Found:
        leaves = {name: parameters[name].detach().requires_grad_() for name in self.networks.trained()}
        values = self.batched({**parameters, **leaves}, buffers, x, y, progress)  # K terms
        gradients = torch.autograd.grad(values[:, -1].sum(), list(leaves.values()), allow_unused=True)
        # The fused optimisers read memory in order: a transposed gradient would move the wrong weights, silently.
        return values.detach(), tuple(None if g is None else g.contiguous() for g in gradients)


def _compiled(function: Callable[..., Found], arguments: tuple) -> Callable[..., Found]:
    """The function as one compiled graph, or as it is where that fails.

    Traced to plain tensor operations first: what is left is elementwise work and small batched products, which the
    compiler fuses. Handing it ``vmap`` itself gave slower code than no compiler at all.
    """
    try:
        return _tried(function, arguments)
    except Exception as error:  # a missing compiler, an operation without a lowering: many kinds
        warnings.warn(f"not compiled, training goes on without ({type(error).__name__}: {error})"[:300], stacklevel=2)
        return function


def _tried(function: Callable[..., Found], arguments: tuple) -> Callable[..., Found]:
    """The compiled graph, run once on copies: it compiles then, and leaves no trace in buffers or random numbers."""
    from torch.fx.experimental.proxy_tensor import make_fx  # only if asked for

    with torch.random.fork_rng():
        graph = make_fx(lambda p, b, x, y, progress: function(p, b, x, y, progress))(*_cloned(arguments))
        compiled = torch.compile(graph, fullgraph=True)
        compiled(*_cloned(arguments))
    return compiled


def _cloned(arguments: tuple) -> tuple:
    """Arguments that a trial may change, such as the running averages of batch normalisation."""
    return pytree.tree_map(lambda value: value.clone(), arguments)
