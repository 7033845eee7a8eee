"""Alternation: some tensors are moved by rules of their own, in turn with gradient descent on the rest."""

import copy
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from functools import partial

import torch
from torch import Tensor
from torch.optim import Optimizer

from mtlib import parallel
from mtlib.tasks import Batch
from mtlib.updates.base import Logs, Update, attempt, logs


class Rule:
    """How one tensor moves: ``rule(value, gradient) -> new value``, all of one shape; gradient None of a buffer.

    A rule that remembers nothing can be a plain function. One that does keeps everything in ``state``, as tensors
    and numbers: it is saved with a run. A rule that draws takes a generator of (seed, a count in ``state``).

    It need not be a subclass: whatever has ``start`` is started, and its ``state`` saved. So papers' rules need not
    know updates.
    """

    state: dict[str, Tensor | float]

    def start(self, value: Tensor) -> None:
        """Before training: make ``state`` for this tensor."""
        self.state = {}

    def __call__(self, value: Tensor, gradient: Tensor | None) -> Tensor:
        """The new value."""
        raise NotImplementedError


Move = Callable[[Tensor, Tensor | None], Tensor]


class Alternate(Update):
    """Descend on all parameters but those with a rule; then, every so many steps, each rule in turn.

        theta <- theta - rate * grad_theta(all terms);   X <- rule(X, grad_X(all terms)) for each tensor X with a rule

    Rules are named by patterns of parameter or buffer names, ``*`` standing for anything, and take their turns in
    the order given; tensors of one pattern move together, each with a state of its own. A penalty that a rule
    deals with itself belongs into ``Losses.extra`` detached, to be seen and not descended. A rule has its own step
    size: the recipe's rate and schedule are for the descent. Where every parameter has a rule, nothing descends.

    Structure-regularised attribute prediction is carried like this::

        Alternate({"L.*": low_rank, "S.*": mirror})         # Algorithms 1 and 2: fix S, move L; fix L, move S
        Alternate({"graph": lambda graph, _: solve(method.W)}, every=per_epoch)    # Algorithm 3: a graph per epoch

    Args:
        rules: {pattern: rule}.
        every: the rules' turn comes after every ``every``-th step; an epoch has ``len(data.train) // recipe.batch``.
        fresh: each pattern of parameters has its gradient taken anew on the same batch, where the others now
            stand. That is a forward pass for each; False uses the descent's one gradient for all.
    """

    def __init__(self, rules: Mapping[str, Rule | Move], every: int = 1, *, fresh: bool = True) -> None:
        self.given, self.every, self.fresh = dict(rules), every, fresh

    def build(self) -> list[Optimizer]:
        """One optimiser of what has no rule; none where everything has one.

        Raises:
            ValueError: a pattern that names nothing or what another does, or a bad ``every``.
        """
        if not isinstance(self.every, int) or isinstance(self.every, bool) or self.every < 1:
            raise ValueError(f"Alternate: every must be a whole number of 1 or more, got {self.every!r}")
        self.done = 0
        self.turns, self.rules = self._assign()
        ruled = {id(self._tensor(name)) for name in self.rules}
        groups = [
            {**group, "params": [parameter for parameter in group["params"] if id(parameter) not in ruled]}
            for group in self.method.groups()
        ]
        groups = [group for group in groups if group["params"]]
        return [self.recipe.optimise(groups)] if groups else []

    def _assign(self) -> tuple[list[list[str]], dict[str, Rule | Move]]:
        """Names by turn, and a rule for each name."""
        names = [name for name, _ in (*self.method.named_parameters(), *self.method.named_buffers())]
        turns, rules = [], {}
        for pattern, rule in self.given.items():
            turn = [name for name in names if fnmatchcase(name, pattern)]
            twice = [name for name in turn if name in rules]
            if not turn or twice:
                fault = f"{twice[0]!r} has a rule already" if twice else f"the method has only {', '.join(names)}"
                raise ValueError(f"Alternate: no rule can be {pattern!r}: {fault}")
            for name in turn:
                rules[name] = copy.copy(rule)  # shallow: a rule may hold the method, which must stay the same
                if _remembers(rule):
                    rules[name].start(self._tensor(name).detach())
            turns.append(turn)
        if not turns:
            raise ValueError("Alternate: without rules there is nothing to alternate with; use Descend")
        return turns, rules

    def _tensor(self, name: str) -> Tensor:
        """The parameter or buffer as it is now: a method may put another tensor in a buffer's place."""
        path, _, last = name.rpartition(".")
        return getattr(self.method.get_submodule(path), last)

    def __call__(self, batch: Batch) -> Logs:
        """One step of descent, and the rules' turns if it is time; the losses are those before all of it."""
        self.method.zero_grad()
        losses = self.losses(batch)
        total = losses.total()
        total.backward()
        for optimiser in self.optimisers:
            self.step(optimiser)
        self.done += 1
        if self.done % self.every == 0:
            for turn in self.turns:
                self._turn(turn, batch, total.detach())
        return logs(losses, total)

    def _turn(self, names: list[str], batch: Batch, total: Tensor) -> None:
        """Move the tensors of one pattern."""
        tensors = {name: self._tensor(name) for name in names}
        trained = [tensor for tensor in tensors.values() if tensor.requires_grad]
        if self.fresh and trained:
            for tensor in trained:
                tensor.grad = None
            self.losses(batch).total().backward(inputs=trained)
        parallel.average(trained, self.share)
        with torch.no_grad():
            for name, tensor in tensors.items():
                gradient = tensor.grad
                if gradient is None and tensor.requires_grad:  # no term depends on it
                    gradient = torch.zeros_like(tensor)
                new = attempt(partial(self.rules[name], tensor.detach(), gradient), tensor, total)
                if new.shape != tensor.shape:
                    raise ValueError(
                        f"Alternate: the rule of {name!r} gave {tuple(new.shape)} for {tuple(tensor.shape)}"
                    )
                tensor.copy_(new)

    def state(self) -> dict:
        """The steps made, and what every rule remembers."""
        return {"done": self.done, "rules": {name: rule.state for name, rule in self._remembering().items()}}

    def restore(self, state: dict) -> None:
        """Take back what ``state`` gave."""
        self.done = state["done"]
        for name, rule in self._remembering().items():
            rule.state = copy.deepcopy(state["rules"][name])

    def _remembering(self) -> dict[str, Rule]:
        return {name: rule for name, rule in self.rules.items() if _remembers(rule)}


def _remembers(rule: Rule | Move) -> bool:
    """Has it a state? Told by ``start``, as a rule has no ``state`` before that."""
    return callable(getattr(rule, "start", None))
