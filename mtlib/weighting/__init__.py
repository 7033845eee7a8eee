"""How much each task counts: a weighting turns the losses of a batch into the terms whose sum is descended.

| weighting         | term of task i      | what changes                                                            |
|-------------------|---------------------|-------------------------------------------------------------------------|
| none              | L_i                 | nothing                                                                 |
| `Fixed`           | w_i L_i             | nothing                                                                 |
| `Uncertainty`     | exp(-s_i) L_i + s_i | s, trained together with the method                                     |
| `DynamicAverage`  | lambda_i L_i        | lambda, from the training losses of two periods (DWA)                   |
| `Adaptive`        | lambda_i L_i        | lambda, from losses of small validation batches (AW), see `updates.Watch` |
| `ValidationTrend` | lambda_i L_i        | lambda, from the losses of the last two validations (DMM-CNN, Eq. 4)    |

Any function of ``Losses`` serves as well. A method that keeps weights of its own, in a buffer which ``validated``
changes, is descended by ``Descend(lambda losses: method.weights * losses.tasks)``: they are saved with the method.
What weighs gradients and not losses is an update: ``updates.GradNorm``, ``updates.Aggregate``.
"""

from mtlib.weighting.adaptive import Adaptive
from mtlib.weighting.base import Fixed, Weigh, Weighting
from mtlib.weighting.dynamic_average import DynamicAverage
from mtlib.weighting.trend import ValidationTrend, trend
from mtlib.weighting.uncertainty import Uncertainty

__all__ = ["Adaptive", "DynamicAverage", "Fixed", "Uncertainty", "ValidationTrend", "Weigh", "Weighting", "trend"]
