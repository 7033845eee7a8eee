"""Every random choice is a pure function of what it is for, so that runs resume and pair exactly."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from numbers import Integral

import torch


def derive(*parts: object) -> int:
    """A 63-bit seed from what the numbers are for: ``derive("toy", 9, "train", seed)``.

    Streams named differently are unrelated; neighbouring seeds give unrelated streams too.
    """
    parts = tuple(int(part) if isinstance(part, Integral) else part for part in parts)  # numpy's 3 is 3
    digest = hashlib.blake2b(repr(parts).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def generator(*parts: object) -> torch.Generator:
    """A fresh CPU generator for one purpose. The CPU's, so that every device sees the same numbers."""
    return torch.Generator().manual_seed(derive(*parts))


@contextmanager
def seeded(*parts: object) -> Iterator[None]:
    """Within the block torch's own CPU generator is seeded; afterwards it is as it was.

    For initialisation, which torch draws from its global generator.
    """
    with torch.random.fork_rng(devices=[]):
        torch.random.default_generator.manual_seed(derive(*parts))
        yield
