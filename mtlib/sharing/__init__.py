"""Who shares what: methods that choose, for every task, which parts of one trunk it goes through.

Both are small versions of published ones, which papers of the course compare with; ``adashare`` and ``task_routing``
say what differs. They take the pieces of any trunk.
"""

from mtlib.sharing.adashare import AdaShare
from mtlib.sharing.task_routing import TaskRouting

__all__ = ["AdaShare", "TaskRouting"]
