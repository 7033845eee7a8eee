"""The gradient-reversal layer (Ganin and Lempitsky 2015): passes on its input, and the gradient turned round."""

from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import FunctionCtx


class _Reversal(Function):
    generate_vmap_rule = True  # so that ensembles can batch it

    @staticmethod
    def forward(h: Tensor, weight: Tensor) -> Tensor:
        return h.view_as(h)

    @staticmethod
    def setup_context(ctx: FunctionCtx, inputs: tuple[Tensor, Tensor], output: Tensor) -> None:
        ctx.save_for_backward(inputs[1])

    @staticmethod
    def backward(ctx: FunctionCtx, gradient: Tensor) -> tuple[Tensor, None]:
        (weight,) = ctx.saved_tensors
        return -weight * gradient, None


def reverse(h: Tensor, weight: Tensor | float) -> Tensor:
    """h itself; on the way back the gradient is multiplied by -``weight``.

    A classifier of ``reverse(h, weight)`` that descends its own loss L_b so gives what makes h the gradient of
    -weight * L_b, Eq. (6), in one backward pass: no alternation. A negative weight shares instead of fighting.

    Args:
        h: (B, features).  weight: lambda, a number or a tensor of one.
    """
    return _Reversal.apply(h, h.new_tensor(weight) if not isinstance(weight, Tensor) else weight)
