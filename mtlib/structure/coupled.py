"""Scenario 2, Eq. (14): linear predictors drawn together along a graph of tasks, which is given or learned with them.

    L(W) = sum_i L_c(X, Y_i, w_i) + xi Tr(W A W^T),    A = L + eps I

With a graph that is given this is Eq. (6), and any update trains it. Algorithm 3 learns the graph after every epoch:

    method = Coupled(trunk, 512, tasks)
    per_epoch = len(data.train) // recipe.batch
    fit(method, data, recipe, update=Alternate({"graph": GraphStep(method)}, every=per_epoch))
"""

from collections.abc import Sequence
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from mtlib.structure import programmes
from mtlib.structure.clusters import BETAS, choose
from mtlib.structure.laplacian import EPS, check_graph, coupling, regulariser, squared_distances
from mtlib.structure.learned_graph import log_degree, trace_frobenius
from mtlib.structure.penalties import check_amount
from mtlib.structure.predictors import Predictors
from mtlib.tasks import Task

How = Literal["trace_frobenius", "log_degree", "printed"]


class Coupled(Predictors):
    """Eq. (14): predictors w_i of their own, and xi Tr(W A W^T) = xi (1/2 sum_ij M_ij ||w_i - w_j||^2 + eps ||W||^2).

    Args:
        trunk, features, tasks, bias: see Predictors.
        xi: 0 or more, 0.75 in the paper (M-18).
        graph: M (n, n) over the tasks' columns in their order, given and fixed unless a rule moves it; None starts
            without edges. It is the buffer ``graph``.
        eps: 0 or more, what every predictor is pulled to 0 with (M-2); Eq. (6) has 0.

    Raises:
        ValueError: what Predictors refuses, a negative weight, or a graph that is none or of other tasks.
    """

    graph: Tensor
    strengths: Tensor

    def __init__(
        self,
        trunk: nn.Module,
        features: int,
        tasks: Sequence[Task],
        xi: float = 0.75,
        *,
        graph: Tensor | None = None,
        eps: float = EPS,
        bias: bool = False,
    ) -> None:
        super().__init__(trunk, features, tasks, bias)
        n, bound = len(self.names), features**-0.5  # nn.Linear's own start
        self.W = nn.Parameter(torch.empty(features, n).uniform_(-bound, bound))
        if graph is not None and len(check_graph(graph)) != n:
            raise ValueError(f"graph must be ({n}, {n}), a row for each column of the tasks, got {tuple(graph.shape)}")
        given = torch.zeros(n, n) if graph is None else graph.detach().clone().to(self.W)
        self.register_buffer("graph", given)
        # A buffer, so that many copies with different weights can be stacked.
        self.register_buffer("strengths", torch.tensor([check_amount("xi", xi), check_amount("eps", eps)]))

    def weights(self) -> Tensor:
        """W (d, n), the parameter."""
        return self.W

    def penalties(self) -> dict[str, Tensor]:
        """{"coupling": xi Tr(W A W^T)} with the graph as it stands; it does not reach the graph."""
        return {"coupling": self.strengths[0] * coupling(self.W, self.graph.detach(), self.strengths[1])}

    def regulariser(self) -> Tensor:
        """A = L + eps I as it stands, (n, n)."""
        return regulariser(self.graph, float(self.strengths[1]))


class GraphStep:
    """Line 7 of Algorithm 3 as a rule for the buffer ``graph``: the best graph for the predictors as they stand.

    Made for ``Alternate({"graph": GraphStep(method)}, every=per_epoch)``: a graph after each epoch (M-29). It
    remembers nothing. The graph is learned on the CPU in double precision, wherever the method is.

    Args:
        method: whose ``weights()`` are read, (d, n).
        how: ``trace_frobenius`` and ``log_degree``, see ``learned_graph``; or ``printed``, the programme of the paper
            by cvxpy, which never finds an edge (M-1) and takes seconds at 40 tasks.
        beta: of the two; None takes the smallest of ``betas`` at which most tasks have a neighbour, see ``choose``,
            and is 1 for ``log_degree``, which leaves no task alone.
        alpha: of ``log_degree``.
        betas: what None chooses from.
        relative: distances in units of their mean. The graph then does not depend on how large W is, and does not
            fade while the coupling draws all predictors together. With False and a fixed beta both steps descend
            one objective, Eq. (14) with xi times the graph's own penalty, as alternation wants it.

    Raises:
        ValueError: another ``how``, or a weight that is not above 0.
    """

    def __init__(
        self,
        method: Coupled,
        how: How = "trace_frobenius",
        *,
        beta: float | None = None,
        alpha: float = 1.0,
        betas: Sequence[float] = BETAS,
        relative: bool = True,
    ) -> None:
        if how not in get_args(How):
            raise ValueError(f"how is one of {', '.join(get_args(How))}, got {how!r}")
        for name, weight in (("beta", beta), ("alpha", alpha), *(("betas", one) for one in betas)):
            if weight is not None:
                check_amount(name, weight, positive=True)
        self.how, self.beta, self.alpha, self.betas, self.relative = how, beta, alpha, tuple(betas), relative
        self._method = method  # not public: a record of this rule's settings need not hold the method again

    def __call__(self, graph: Tensor, gradient: Tensor | None = None) -> Tensor:
        """The new graph, (n, n), of the old one's type and place."""
        return self.learn(self._method.weights().detach()).to(graph)

    def learn(self, w: Tensor) -> Tensor:
        """The graph of predictors (d, n): (n, n), on the CPU in double precision.

        Raises:
            ValueError: w is not finite; or ``betas`` are all so small that most tasks stay alone.
        """
        if self.how == "printed":
            return programmes.printed(w, 1.0).graph  # eps only scales A
        z = squared_distances(w)
        if self.how == "log_degree":
            return log_degree(z, self.alpha, self.beta or 1.0, relative=self.relative).graph
        if self.beta is None:
            return choose(z, self.betas, relative=self.relative).learned.graph
        return trace_frobenius(z, self.beta, relative=self.relative).graph
