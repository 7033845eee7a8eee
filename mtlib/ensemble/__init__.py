"""Train hundreds of small networks of one architecture as one: what a single network gets from ``fit``, each gets here.

A copy differs from the others in its seed, its data set, its label columns, or in a setting that its network keeps
in a buffer (the weights lambda of SOS). ``torch.func.vmap`` turns the method's own ``losses`` into one batched program;
the optimiser works on the stacked parameters and never mixes copies. So error bars cost little:

    copies = [Copy(seed=seed, settings={"lambda_adv": value}) for seed in range(20) for value in (0, 0.01)]
    result = ensemble.fit(build, data, copies, Recipe(steps=2000))
    scores = [accuracy(network, data.test) for network in result.networks()]

Each copy ends where ``training.fit`` would bring it, up to rounding. Dropout is the exception: copies draw their own
random numbers, and not those of a single run.
"""

from mtlib.ensemble.accuracy import Accuracy
from mtlib.ensemble.run import Result, fit
from mtlib.ensemble.stack import Copy

__all__ = ["Accuracy", "Copy", "Result", "fit"]
