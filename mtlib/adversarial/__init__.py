"""Adversarial attribute learning (AAL): find the attribute that hurts another, then make its network blind to it.

    from mtlib.adversarial import Adversarial
    model = Adversarial(trunk, 512, main=Task("smiling", "binary", 1), partners=Task("male", "binary", 1), weight=0.1)
    optimiser = torch.optim.Adam(model.parameters())
    for x, y in loader:
        optimiser.zero_grad(); model.losses(Batch(x, y)).total().backward(); optimiser.step()

- ``reversal``: the gradient-reversal layer.  ``model``: Eqs. (1), (2), (4) to (6), (10), (11), ``Adversarial``.
- ``partners``: the table of all pairs and the choice of partners.  ``selection``: what choosing gives by chance.
"""

from mtlib.adversarial.model import Adversarial
from mtlib.adversarial.partners import directed, negative, pairs, transfer, worst
from mtlib.adversarial.reversal import reverse
from mtlib.adversarial.selection import best_of, chosen, printed_noise

__all__ = [
    "Adversarial",
    "best_of",
    "chosen",
    "directed",
    "negative",
    "pairs",
    "printed_noise",
    "reverse",
    "transfer",
    "worst",
]
