"""Is it the same person? A Siamese network with and without attributes (Eqs. 17 to 19 of MTFAP), and rates by people.

- ``siamese``: the losses, the method, and embeddings of pictures.
- ``rates``: false-match rate by group, true-match rate at a false-match rate, with intervals over people.

Both of a pair go through the same network. In a batch every picture is paired with every other, so give ``fit`` rows
with several pictures of each person; who that is stands among the labels, and needs no task:

    data.train.y["identity"] = identities("train", n).unsqueeze(1)  # drawn faces; AT&T and manifests have it
    method = Siamese(trunk, features=128, tasks=data.tasks, invariant=["Male"])
    fit(method, data, recipe, rows=Identities(data.train.y["identity"][:, 0], people=16, each=4, seed=0))
    z, who = embeddings(method, data.test.x), data.test.y["identity"][:, 0]
    first, second, same = every_pair(who)
    metrics.verification(distances(z, first, second), same)
    true_match_rate(distances(z, first, second), torch.stack([who[first], who[second]], 1), false_match=0.01)
"""

from mtlib.verification.rates import Rate, false_match_rates, threshold_at, true_match_rate
from mtlib.verification.siamese import Coupling, Siamese, coupling, distances, embeddings, every_pair

__all__ = [
    "Coupling",
    "Rate",
    "Siamese",
    "coupling",
    "distances",
    "embeddings",
    "every_pair",
    "false_match_rates",
    "threshold_at",
    "true_match_rate",
]
