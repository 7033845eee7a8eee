"""Train one method on one data set: a recipe, an update, a seed, a history.

A run is a pure function of its arguments: rows and random numbers of a step follow from (seed, step) alone. So a
run that was killed and started again from its checkpoint ends bit by bit where it would have ended (on one machine
with one number of threads). Several processes are in ``mtlib.parallel``, hundreds of networks in ``mtlib.ensemble``.
"""

from mtlib.training.fit import Result, fit
from mtlib.training.scores import accuracy, losses

__all__ = ["Result", "accuracy", "fit", "losses"]
