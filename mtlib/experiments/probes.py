"""What a space knows: a linear probe of every task on every space of a trained SOS network.

The paper calls its spaces semantically orthogonal and never measures it. A probe does: logistic regression from one
space, as the heads read it, to one task's label. Specific space 1 should tell task 1 and little of task 2.
"""

import torch
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mtlib.sos import SOS
from mtlib.tasks import Dataset

SPACES = ("common", "specific 1", "specific 2")
TARGETS = ("task 1", "task 2")


def columns() -> list[str]:
    """The names of the probes' accuracies, "probe common/task 1" and so on, and "probe nothing/…"."""
    return [f"probe {space}/{target}" for space in ("nothing", *SPACES) for target in TARGETS]


@torch.no_grad()
def scores(network: SOS, data: Dataset) -> dict[str, float]:
    """Test accuracy (per cent) of a probe of each task on each space of a network with two tasks.

    ``nothing`` is what one reaches without looking: always the commoner label of the training set.
    """
    found = {}
    sides = []
    for split in (data.train, data.test):
        common, specific = (space.relu().cpu() for space in network.embed(split.x))
        sides.append(([common, specific[:, 0], specific[:, 1]], split.y["toy"].cpu()))
    (train, y_train), (test, y_test) = sides
    for i, target in enumerate(TARGETS):
        known, asked = y_train[:, i] >= 0, y_test[:, i] >= 0
        label = y_train[known, i].mode().values
        found[f"probe nothing/{target}"] = 100 * (y_test[asked, i] == label).float().mean().item()
        for name, fitted, seen in zip(SPACES, train, test, strict=True):
            probe = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
            probe.fit(fitted[known].numpy(), y_train[known, i].numpy())
            right = probe.score(seen[asked].numpy(), y_test[asked, i].numpy())
            found[f"probe {name}/{target}"] = 100 * float(right)
    return found
