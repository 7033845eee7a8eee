"""Drawn faces with known truth: *label statistics follow CelebA; the pixels and their causes are invented.*

``draw`` gives faces by number, ``dataset`` gives them as a Dataset like any other, ``annotate`` leaves labels out by
design. What holds for drawn faces says nothing about photographs of people; what they can show is whether a method
finds what is there.

| question | modules |
|---|---|
| who is drawn | ``population``, ``interventions``, ``structure``; fitted by ``calibrate`` |
| how | ``portrait``: ``pose``, ``head``, ``eyes``, ``mouth``, ``hair``, ``wear``, ``photo`` on a ``canvas`` |
| what is known | ``landmarks``, ``parts`` (masks), ``structure`` (graphs, bound), ``report`` |
"""

from mtlib.annotate import annotate
from mtlib.faces.data import dataset
from mtlib.faces.draw import Faces, draw
from mtlib.faces.names import ACTION_UNITS, ATTRIBUTES, EXPRESSIONS, LANDMARKS, POINTS_5, POINTS_68

__all__ = [
    "ACTION_UNITS",
    "ATTRIBUTES",
    "EXPRESSIONS",
    "LANDMARKS",
    "POINTS_5",
    "POINTS_68",
    "Faces",
    "annotate",
    "dataset",
    "draw",
]
