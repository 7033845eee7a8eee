"""Which rows form a batch: a pure function of (seed, step), so that runs resume and pair exactly."""

from collections.abc import Mapping
from typing import Protocol

import torch
from torch import Tensor

from mtlib.seeds import derive, generator


class Rows(Protocol):
    """What ``fit`` and ``ensemble`` ask for: ``per_epoch`` and the rows of a step.

    per_epoch: steps to one pass over the data.  __call__(step): (batch,) row numbers, the same at every call.
    """

    per_epoch: int

    def __call__(self, step: int) -> Tensor:
        """(batch,) row numbers of update ``step``, counted from 0."""
        ...


class Epoch:
    """Every epoch is a new order of all rows; a short rest is left.

    Args:
        n: examples.  batch: rows per batch, at most n of them.  seed: names the orders.
    """

    def __init__(self, n: int, batch: int, seed: int) -> None:
        if n < 1:
            raise ValueError("there are no rows to train on")
        self.n, self.batch, self.seed = n, min(batch, n), seed
        self.per_epoch = n // self.batch
        self._order: tuple[int, Tensor] = (-1, torch.empty(0))  # the epoch at hand, kept to be drawn once

    def __call__(self, step: int) -> Tensor:
        """(batch,) row numbers of update ``step``, counted from 0."""
        epoch, place = divmod(step, self.per_epoch)
        if self._order[0] != epoch:
            self._order = epoch, torch.randperm(self.n, generator=generator("rows", self.seed, epoch))
        return self._order[1][place * self.batch : (place + 1) * self.batch]


class Mixed:
    """Batches with so many rows of every source, each source in an order of its own that is new every epoch.

    The sources are interleaved within a batch, so that any part of it is mixed as well. An epoch ends when the
    source that lasts longest has been seen; the others begin again in the meantime.

    Args:
        sources: (N,) whole numbers, ``Split.source``.  sizes: {source: rows per batch}; a source without a size
            is left out.  seed: names the orders.

    Raises:
        ValueError: no sizes, or more rows of a source than there are.
    """

    def __init__(self, sources: Tensor, sizes: Mapping[int, int], seed: int) -> None:
        if not sizes or any(size < 1 for size in sizes.values()):
            raise ValueError(f"mixed rows: sizes are {{source: rows per batch}}, 1 or more of each, got {dict(sizes)}")
        self.sizes, self.seed = dict(sizes), seed
        self._members = {source: (sources.cpu() == source).nonzero().flatten() for source in sizes}
        for source, size in sizes.items():
            if len(self._members[source]) < size:
                found = len(self._members[source])
                raise ValueError(f"mixed rows: {size} rows per batch of source {source}, which has {found}")
        self._orders = {s: Epoch(len(self._members[s]), size, derive("mixed", seed, s)) for s, size in sizes.items()}
        self.per_epoch = max(order.per_epoch for order in self._orders.values())
        # Row j of n stands at (j + 1/2) / n of the batch, whatever its source.
        places = torch.cat([(torch.arange(size) + 0.5) / size for size in sizes.values()])
        self._interleaved = places.argsort(stable=True)

    def __call__(self, step: int) -> Tensor:
        """(sum of sizes,) row numbers of update ``step``, counted from 0."""
        rows = [self._members[source][order(step)] for source, order in self._orders.items()]
        return torch.cat(rows)[self._interleaved]


class Pairs:
    """Batches of pairs: rows 2i and 2i + 1 show one identity for even i (genuine), two for odd i (impostor).

    The first of a genuine pair is any row whose identity has another, its partner any other row of that identity;
    the first of an impostor pair is any row, its partner any row of the other identities.

    Args:
        identities: (N,) whole numbers.  batch: rows per batch, a multiple of 4.  seed: names the pairs.

    Raises:
        ValueError: the batch is no multiple of 4, no identity has two rows, or there is only one identity.
    """

    def __init__(self, identities: Tensor, batch: int, seed: int) -> None:
        if batch < 4 or batch % 4:
            raise ValueError(f"pairs: half of them genuine, so the batch must be a multiple of 4, got {batch}")
        self.batch, self.seed = batch, seed
        identities = identities.cpu()
        self._sorted = identities.argsort(stable=True)  # rows of one identity lie together
        _, counts = identities[self._sorted].unique_consecutive(return_counts=True)
        if len(counts) < 2 or counts.max() < 2:
            raise ValueError("pairs: needs two identities or more, and two rows of at least one of them")
        self._counts = counts.repeat_interleave(counts)  # (N,) how many rows the identity has, in sorted order
        self._starts = (counts.cumsum(0) - counts).repeat_interleave(counts)
        self._several = (self._counts > 1).nonzero().flatten()
        self.per_epoch = max(1, len(identities) // batch)

    def __call__(self, step: int) -> Tensor:
        """(batch,) row numbers of update ``step``, counted from 0."""
        random, pairs, n = generator("pairs", self.seed, step), self.batch // 4, len(self._sorted)
        draw = torch.rand(4, pairs, generator=random, dtype=torch.double)
        genuine = self._several[(draw[0] * len(self._several)).long()]
        start, count = self._starts[genuine], self._counts[genuine]
        # Going round within the identity, anything but a whole turn.
        partner = start + (genuine - start + 1 + (draw[1] * (count - 1)).long()) % count
        first = (draw[2] * n).long()
        start, count = self._starts[first], self._counts[first]
        # Going round the table from the identity's end, not as far as its start.
        other = (start + count + (draw[3] * (n - count)).long()) % n
        return self._sorted[torch.stack([genuine, partner, first, other], 1).flatten()]


class Identities:
    """Batches of P people with K pictures each, person after person: all pairs of a batch are of both kinds.

    Of its n (n - 1) ordered pairs, n = P K, P K (K - 1) are genuine. People come in an order that is new every round
    of all of them; whoever would be short at its end is left for a later one. A person's K pictures are drawn at
    random, all different; so pictures of people with few of them are seen more often than others.

    Args:
        ids: (N,) whole numbers, who is on each row; below 0, it is not known, and the row is left out.
        people, each: P and K, 2 or more. People with fewer than K rows are left out.
        seed: names the rounds and the pictures.

    Raises:
        ValueError: ids that are not (N,) whole numbers, P or K below 2, or fewer than P people with K rows.
    """

    def __init__(self, ids: Tensor, people: int, each: int, seed: int) -> None:
        if ids.ndim != 1 or ids.is_floating_point() or ids.dtype == torch.bool:
            raise ValueError(f"identities: needs whole numbers (N,), got {tuple(ids.shape)} of {ids.dtype}")
        if people < 2 or each < 2:
            raise ValueError(f"identities: needs people and each of 2 or more, got {people} people, {each} of each")
        self.people, self.each, self.seed = people, each, seed
        ids = ids.cpu()
        order = ids.argsort(stable=True)
        self._sorted = order[ids[order] >= 0]  # rows of one person lie together
        _, counts = ids[self._sorted].unique_consecutive(return_counts=True)
        starts = counts.cumsum(0) - counts
        enough = counts >= each
        self._starts, self._counts = starts[enough], counts[enough]
        if len(self._counts) < people:
            raise ValueError(
                f"identities: {people} people with {each} rows or more of each are asked for; "
                f"{len(self._counts)} of {len(counts)} have so many"
            )
        self._round = Epoch(len(self._counts), people, derive("identities", seed))
        self.per_epoch = max(1, int(self._counts.sum()) // (people * each))

    def __call__(self, step: int) -> Tensor:
        """(people x each,) row numbers of update ``step``, counted from 0."""
        who = self._round(step)
        counts = self._counts[who].unsqueeze(1)  # P 1
        keys = torch.rand(len(who), int(counts.max()), generator=generator("identities", self.seed, step))
        keys = keys.masked_fill(torch.arange(keys.shape[1]) >= counts, 2.0)  # behind all keys of pictures there are
        pictures = keys.argsort(1)[:, : self.each]  # P K
        return self._sorted[self._starts[who].unsqueeze(1) + pictures].flatten()
