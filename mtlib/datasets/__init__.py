"""Real data sets on disk, and the drawn faces, by name.

``load`` gives any of them as the one ``Dataset``; ``pairs`` gives pairs of pictures for verification,
``standardise`` tables of numbers in units of their spread. What each is, how to get it and where to put it:
``data/README.md``.
"""

from mtlib.datasets.geometry import Geometry
from mtlib.datasets.loading import load
from mtlib.datasets.pairs import Pairs, pairs
from mtlib.datasets.registry import NAMES
from mtlib.datasets.standardise import standardise

__all__ = ["NAMES", "Geometry", "Pairs", "load", "pairs", "standardise"]
