"""How a batch moves the parameters: plain descent and what some papers need in its place. Updates own the optimisers.

| update      | moves                                                                  |
|-------------|------------------------------------------------------------------------|
| `Descend`   | everything down one sum of losses, weighted as one likes               |
| `Watch`     | the same, with an eye on some validation examples at every step        |
| `GradNorm`  | the same, weighted so that tasks' gradients get sizes that go together |
| `Aggregate` | the shared part along a common direction of the tasks' gradients       |
| `Alternate` | matrices by rules of their own, in turn with the rest                  |
| `Critic`    | a critic some steps ahead of what it criticises                        |
| `Separate`  | a critic by an optimiser of its own, at the same time                  |

``scheme(name, heads, ...)`` gives any of the papers' ways to weigh tasks by its name in ``SCHEMES``.
"""

from mtlib.updates.aggregate import Aggregate
from mtlib.updates.alternate import Alternate, Rule
from mtlib.updates.base import Logs, Update
from mtlib.updates.critic import Critic
from mtlib.updates.descend import Descend
from mtlib.updates.grad_norm import GradNorm
from mtlib.updates.schemes import SCHEMES, scheme
from mtlib.updates.separate import Separate
from mtlib.updates.watch import Watch

__all__ = [
    "SCHEMES",
    "Aggregate",
    "Alternate",
    "Critic",
    "Descend",
    "GradNorm",
    "Logs",
    "Rule",
    "Separate",
    "Update",
    "Watch",
    "scheme",
]
