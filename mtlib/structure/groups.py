"""Which tasks belong together: a partition of the tasks' columns, and the rank of each group's basis."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from mtlib.paths import repository
from mtlib.seeds import generator
from mtlib.structure.penalties import check_count


@dataclass(frozen=True)
class Partition:
    """Groups of tasks by name, every task in one of them; a group of one is fine.

    Args:
        groups: names of each group's tasks.
        ranks: K_g, columns of each group's basis L_g, 1 to T_g. The default is half the group rounded up, which is 1
            for groups of one and two. The paper's K_g < T_g cannot hold for a group of one (M-6).

    Raises:
        ValueError: no groups, an empty one, a name twice, or ranks that do not fit.
    """

    groups: Sequence[Sequence[str]]
    ranks: Sequence[int] | None = None

    def __post_init__(self) -> None:
        if isinstance(self.groups, str) or any(isinstance(group, str) for group in self.groups):
            raise ValueError(f"groups are sequences of names, one per group, got {self.groups!r}")
        groups = tuple(tuple(group) for group in self.groups)
        if not groups or not all(groups):
            raise ValueError(f"a partition needs one or more groups, none of them empty, got {groups}")
        names = [name for group in groups for name in group]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"every task is in one group, once; more than once: {', '.join(twice)}")
        object.__setattr__(self, "groups", groups)
        object.__setattr__(self, "ranks", self._ranks(groups))

    def _ranks(self, groups: tuple[tuple[str, ...], ...]) -> tuple[int, ...]:
        if self.ranks is None:
            return tuple((len(group) + 1) // 2 for group in groups)
        ranks = tuple(check_count("a rank", rank) for rank in self.ranks)
        if len(ranks) != len(groups):
            raise ValueError(f"{len(groups)} groups need {len(groups)} ranks, got {len(ranks)}")
        for group, rank in zip(groups, ranks, strict=True):
            if rank > len(group):
                raise ValueError(f"the group of {', '.join(group)} has rank {rank}, but only {len(group)} tasks")
        return ranks

    @property
    def sizes(self) -> tuple[int, ...]:
        """T_g, how many tasks each group has."""
        return tuple(len(group) for group in self.groups)

    def places(self, names: Sequence[str]) -> list[list[int]]:
        """Where each group's tasks stand in ``names``.

        Raises:
            ValueError: names twice; a task of the partition that is not among them, or one of them without a group.
        """
        if len(set(names)) != len(names):
            raise ValueError(f"tasks are told apart by their names, and some are there twice: {', '.join(names)}")
        grouped = {name for group in self.groups for name in group}
        for kind, faults in (("unknown", grouped - set(names)), ("without a group", set(names) - grouped)):
            if faults:
                raise ValueError(f"groups and tasks do not fit; {kind}: {', '.join(sorted(faults))}")
        place = {name: at for at, name in enumerate(names)}
        return [[place[name] for name in group] for group in self.groups]

    def shuffled(self, seed: int) -> "Partition":
        """Groups of the same sizes and ranks with the names dealt anew: does it matter who is with whom?"""
        names = [name for group in self.groups for name in group]
        order = torch.randperm(len(names), generator=generator("partition", seed)).tolist()
        dealt = iter(names[at] for at in order)
        return Partition([[next(dealt) for _ in group] for group in self.groups], self.ranks)


def learned_groups(names: Sequence[str]) -> Partition:
    """The ten clusters of Sec. 5.4, for forty attributes in CelebA's order, whatever they are called.

    They are what the paper *learned* without a prior. Its prior groups stand in a figure that the text does not have,
    so these are a stand-in for them (M-7).

    Args:
        names: the forty columns' names.

    Raises:
        ValueError: not forty names.
    """
    with (repository() / "data" / "papers" / "mtfap_learned_groups.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    if len(names) != len(rows):
        raise ValueError(f"the learned groups are of {len(rows)} attributes, got {len(names)} names")
    groups: dict[int, list[str]] = {}
    for row in rows:
        groups.setdefault(int(row["group"]), []).append(names[int(row["idx"]) - 1])
    return Partition([groups[number] for number in sorted(groups)])
