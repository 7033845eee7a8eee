"""From the distribution-matching paper's Table 1 to probabilities of action units and shares of expressions."""

import csv

import numpy as np
from numpy import ndarray
from scipy.optimize import lsq_linear

from mtlib.faces.names import EXPRESSIONS, UNIT
from mtlib.paths import repository

FLOOR = 0.02  # of a unit that the table does not list for the expression, and of every unit of a neutral face
SPEECH = 0.05  # the same for AU25: lips part when somebody speaks
CEILING = 0.98  # a prototype's weight is 1 by definition; no face is that certain
RAREST = 0.047  # least share in the prior, so that no expression is drawn less often than 3 %
USUAL = np.array([0.30, 0.45, 0.05, 0.05, 0.05, 0.05, 0.05])  # where the cells leave it open, as sad against neutral


def printed() -> ndarray:
    """P(action unit | expression) (7, 17) as the table gives it.

    The mean of the weight in the cognitive study (1 for a prototypical unit) and of the frequency in Aff-Wild2 where
    both list the unit; the one that does where one does; a floor where none does.
    """
    table = np.full((len(EXPRESSIONS), len(UNIT)), FLOOR)
    table[:, UNIT[25]] = SPEECH
    listed: dict[tuple[int, int], dict[str, float]] = {}
    with (repository() / "data" / "papers" / "dm_table1_expression_au.csv").open() as file:
        for row in csv.DictReader(file):
            source = "database" if row["kind"] == "affwild2" else "study"
            cell = EXPRESSIONS.index(row["expression"]), UNIT[int(row["au"])]
            listed.setdefault(cell, {})[source] = float(row["weight"])
    for cell, sources in listed.items():
        table[cell] = min(CEILING, np.mean(list(sources.values())))
    return table


def joint(table: ndarray) -> ndarray:
    """P(AU12, AU25 | expression) (4, 7), cells in the order of 2 AU12 + AU25: independent given the expression."""
    smile, parted = table[:, UNIT[12]], table[:, UNIT[25]]
    return np.stack([(1 - smile) * (1 - parted), (1 - smile) * parted, smile * (1 - parted), smile * parted])


def fit(cells: ndarray) -> tuple[ndarray, ndarray, ndarray]:
    """Expressions for faces whose AU12 and AU25 are given.

    Args:
        cells: (4,) shares of the faces in the cells of :func:`joint`.

    Returns:
        prior (7,), the shares of expressions that come closest to the cells by the printed table; posterior (4, 7),
        Bayes' rule with them; table (7, 17), where AU12 and AU25 are replaced by what results for the cells.
    """
    table = printed()
    given = joint(table)
    # Least squares; the sum to 1 as a heavy row, the faint last rows spread what the cells leave open.
    rows = np.vstack([given, 1e3 * np.ones((1, 7)), 1e-3 * np.eye(7)])
    prior = lsq_linear(rows, np.r_[cells, 1e3, 1e-3 * USUAL], bounds=(RAREST, 1)).x
    prior = (prior / prior.sum()).round(4)
    posterior = (given * prior / (given @ prior)[:, None]).round(5)
    drawn = posterior * cells[:, None]  # cell, expression
    drawn = drawn / drawn.sum(0)
    table[:, UNIT[12]], table[:, UNIT[25]] = drawn[2] + drawn[3], drawn[1] + drawn[3]
    return prior, posterior, table.round(4)
