"""Eq. (3): linear predictors that share a low-rank basis within known groups, W_g = L_g S_g.

Each group g of T_g tasks has a basis L_g (d, K_g) of low rank and sparse codes S_g (K_g, T_g):

    sum over tasks of the data loss + sum over groups of (lambda ||S_g||_1 + gamma ||L_g||_*)

Descend on all of it, or move L and S by rules in turn with descent on the trunk, as the paper does:

    method = Grouped(trunk, 512, tasks, learned_groups(names), penalties="seen")
    fit(method, data, recipe, update=Alternate(rules(method)))
"""

from collections.abc import Callable, Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from mtlib.structure.groups import Partition
from mtlib.structure.low_rank import LowRank, ProximalLowRank
from mtlib.structure.mirror import Mirror, ProximalSparse
from mtlib.structure.penalties import check_amount, entries, nuclear
from mtlib.structure.predictors import Predictors
from mtlib.tasks import Task

Move = Callable[[Tensor, Tensor], Tensor]


class Grouped(Predictors):
    """Scenario 1, Eq. (3): W_g = L_g S_g in every group, a low-rank basis times sparse codes.

    Parameters are ``L.0``, ``S.0``, ``L.1``, ... by group. L_g starts orthonormal and S_g small (M-17), then both are
    brought to the scale at which their penalties are equal (M-9), see ``balanced``.

    Small is not tiny. At that scale a group of one pays 2 sqrt(lambda gamma ||w||), whose slope is infinite at 0: W = 0
    is not only stationary but a local minimum, whatever the data say. A group that starts too close to it goes there,
    and stays.

    Args:
        trunk, features, tasks, bias: see Predictors.
        groups: a Partition of the tasks' columns, or names by group.
        sparse: lambda of ||S_g||_1, 0 or more, once per group (M-8).
        low_rank: gamma of ||L_g||_*, the same.
        penalties: ``descended`` by whatever update there is, or only ``seen``: logged and in the total, with no
            gradient, for rules that deal with them.
        codes: standard deviation of the entries of S_g at the start, before the two are balanced; a predictor then
            has a length of about codes sqrt(K_g).

    Raises:
        ValueError: what Predictors or Partition refuses, a negative weight, or a rank above ``features``.
    """

    strengths: Tensor
    order: Tensor

    def __init__(
        self,
        trunk: nn.Module,
        features: int,
        tasks: Sequence[Task],
        groups: Partition | Sequence[Sequence[str]],
        *,
        sparse: float = 0.01,
        low_rank: float = 1.0,
        penalties: Literal["descended", "seen"] = "descended",
        codes: float = 0.3,
        bias: bool = False,
    ) -> None:
        super().__init__(trunk, features, tasks, bias)
        self.partition = groups if isinstance(groups, Partition) else Partition(groups)
        places = self.partition.places(self.names)
        if max(self.partition.ranks) > features:
            raise ValueError(f"ranks {self.partition.ranks} must not be above features, {features}")
        if penalties not in ("descended", "seen"):
            raise ValueError(f"penalties is one of descended, seen, got {penalties!r}")
        self.descended = penalties == "descended"
        strengths = check_amount("sparse", sparse), check_amount("low_rank", low_rank)
        check_amount("codes", codes)
        self.L, self.S = nn.ParameterList(), nn.ParameterList()
        for size, rank in zip(self.partition.sizes, self.partition.ranks, strict=True):
            basis = nn.init.orthogonal_(torch.empty(features, rank))
            basis, own = balanced(basis, codes * torch.randn(rank, size), *strengths)
            self.L.append(nn.Parameter(basis))
            self.S.append(nn.Parameter(own))
        # A buffer, so that many copies with different weights can be stacked.
        self.register_buffer("strengths", torch.tensor(strengths))
        # Where each task's column stands among the groups' columns side by side.
        side_by_side = torch.tensor([place for group in places for place in group])
        self.register_buffer("order", side_by_side.argsort(), persistent=False)

    def weights(self) -> Tensor:
        """W (d, T) of L_g S_g, in the tasks' order."""
        columns = torch.cat([basis @ own for basis, own in zip(self.L, self.S, strict=True)], 1)
        return columns.index_select(1, self.order)

    def penalties(self) -> dict[str, Tensor]:
        """{"sparse": lambda sum_g ||S_g||_1, "low rank": gamma sum_g ||L_g||_*}, once per group."""
        bases, codes = list(self.L), list(self.S)
        if not self.descended:
            bases, codes = ([matrix.detach() for matrix in matrices] for matrices in (bases, codes))
        return {
            "sparse": self.strengths[0] * torch.stack([entries(own) for own in codes]).sum(),
            "low rank": self.strengths[1] * torch.stack([nuclear(basis) for basis in bases]).sum(),
        }


def balanced(basis: Tensor, codes: Tensor, sparse: float, low_rank: float) -> tuple[Tensor, Tensor]:
    """L c and S / c with the c > 0 at which ``sparse`` ||S / c||_1 = ``low_rank`` ||L c||_*: their product is kept.

    Both factors are penalised, so only the penalties settle their scale; this is where their sum is smallest (M-9).
    Where one of the four is 0 there is no such scale, and both stay as they are.

    Args:
        basis: L (d, K).  codes: S (K, T).  sparse, low_rank: lambda and gamma.
    """
    shares = sparse * float(entries(codes)), low_rank * float(nuclear(basis))
    if not min(shares) > 0:
        return basis, codes
    c = (shares[0] / shares[1]) ** 0.5
    return c * basis, codes / c


def rules(
    method: Grouped,
    *,
    basis: Literal["proximal", "probed", "printed"] = "proximal",
    codes: Literal["mirror", "proximal"] = "mirror",
    basis_rate: float = 1e-2,
    codes_rate: float = 1e-3,
    probes: int = 1,
    seed: int = 0,
) -> dict[str, Move]:
    """What ``mtlib.updates.Alternate`` asks for: first L moves with S fixed, then S with L fixed (M-17).

    Args:
        method: made with ``penalties="seen"``: each rule deals with its penalty itself.
        basis: how L moves: ``proximal``, Algorithm 1 with unbiased probing, ``probed``, or with all as ``printed``,
            which has a step size of its own.
        codes: how S moves: Algorithm 2, ``mirror``, or ``proximal``.
        basis_rate, codes_rate: step sizes.  probes, seed: of Algorithm 1.

    Raises:
        ValueError: a method whose penalties are descended already, or another way to move.
    """
    if method.descended:
        raise ValueError("rules: the penalties would count twice; make the method with penalties='seen'")
    sparse, low_rank = method.strengths.tolist()
    bases: dict[str, Callable[[], Move]] = {
        "proximal": lambda: ProximalLowRank(low_rank, basis_rate),
        "probed": lambda: LowRank(low_rank, basis_rate, probes=probes, seed=seed),
        "printed": lambda: LowRank(low_rank, probes=probes, reading="printed", seed=seed),
    }
    every: dict[str, Callable[[], Move]] = {
        "mirror": lambda: Mirror(sparse, codes_rate),
        "proximal": lambda: ProximalSparse(sparse, codes_rate),
    }
    for name, given, known in (("basis", basis, bases), ("codes", codes, every)):
        if given not in known:
            raise ValueError(f"rules: {name} is one of {', '.join(known)}, got {given!r}")
    return {"L.*": bases[basis](), "S.*": every[codes]()}
