"""The structure of tasks, given or learned (MTFAP, Taherkhani et al.): linear predictors W (d, n) on shared features.

Known groups: a low-rank basis and sparse codes, W_g = L_g S_g, trained by Algorithms 1 and 2 or by proximal steps:

    method = Grouped(trunk, 512, tasks, learned_groups(names), penalties="seen")
    fit(method, data, recipe, update=Alternate(rules(method)))

Unknown graph: predictors drawn together along a graph that is learned with them, Algorithm 3 with its graph step
mended (M-1):

    method = Coupled(trunk, 512, tasks)
    fit(method, data, recipe, update=Alternate({"graph": GraphStep(method)}, every=per_epoch))

Without ``fit``, on the reader's own loader, both are descended like any loss; a graph is learned by one call:

    model = Coupled(trunk, 512, [Task("attributes", "binary", 40)], xi=0.75)
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)
    for images, labels in loader:
        optimiser.zero_grad()
        model.losses(Batch(images, {"attributes": labels})).total().backward()
        optimiser.step()
    model.graph.copy_(GraphStep(model).learn(model.weights()))

- ``predictors``: what all share; ``Ridge``, Eq. (1).  ``grouped``, ``groups``: Eq. (3).  ``coupled``: Eqs. (6), (14).
- ``low_rank``: Algorithm 1.  ``mirror``: Algorithm 2, Eqs. (4), (5).  ``penalties``: norms and proximal operators.
- ``laplacian``: Eqs. (7) to (13).  ``learned_graph``: what can stand in for Algorithm 3's programme; ``programmes``:
  the same and the printed one by cvxpy.  ``clusters``: pruning, connected parts, stability, which beta to take.
"""

from mtlib.structure.clusters import choose, clusters, path, prune, relation, stability
from mtlib.structure.coupled import Coupled, GraphStep
from mtlib.structure.grouped import Grouped, balanced, rules
from mtlib.structure.groups import Partition, learned_groups
from mtlib.structure.laplacian import laplacian, regulariser, squared_distances, trace
from mtlib.structure.learned_graph import log_degree, trace_frobenius
from mtlib.structure.predictors import Ridge

__all__ = [
    "Coupled",
    "GraphStep",
    "Grouped",
    "Partition",
    "Ridge",
    "balanced",
    "choose",
    "clusters",
    "laplacian",
    "learned_groups",
    "log_degree",
    "path",
    "prune",
    "regulariser",
    "relation",
    "rules",
    "squared_distances",
    "stability",
    "trace",
    "trace_frobenius",
]
