"""Correlations of thresholded Gaussians, and the sparse graph whose thresholded Gaussian has given correlations.

A label is 1 where a standard normal number exceeds a threshold. Two such labels have a phi correlation (Pearson's, of
0 and 1) that follows from the correlation of their normals, the tetrachoric one. For calibration only: needs scipy and
scikit-learn.
"""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy import ndarray
from scipy.stats import norm
from sklearn.covariance import graphical_lasso
from sklearn.exceptions import ConvergenceWarning

NODES, WEIGHTS = (part / 2 for part in np.polynomial.legendre.leggauss(40))
NODES = NODES + 0.5  # on [0, 1]


def phi(rho: ndarray, p: ndarray, q: ndarray) -> ndarray:
    """Phi correlation of two thresholded normals with correlation rho and shares p and q of ones, any shape alike.

    d Phi2 / d rho is the bivariate density; integrated over the arc sine of rho the integrand stays smooth near 1.
    """
    h, k = norm.isf(p)[..., None], norm.isf(q)[..., None]
    arc = np.arcsin(rho)[..., None]
    sine, cosine = np.sin(arc * NODES), np.cos(arc * NODES)
    excess = (np.exp(-(h * h + k * k - 2 * h * k * sine) / (2 * cosine**2)) * WEIGHTS * arc).sum(-1) / (2 * np.pi)
    return excess / _spread(p, q)


def slope(rho: ndarray, p: ndarray, q: ndarray) -> ndarray:
    """Derivative of :func:`phi` by rho."""
    h, k, rest = norm.isf(p), norm.isf(q), 1 - rho**2
    density = np.exp(-(h * h + k * k - 2 * h * k * rho) / (2 * rest)) / (2 * np.pi * np.sqrt(rest))
    return density / _spread(p, q)


def tetrachoric(correlation: ndarray, p: ndarray, q: ndarray) -> ndarray:
    """The correlation of the normals behind a phi correlation, by bisection; within 0.9999 of zero."""
    low, high = np.full_like(correlation, -0.9999), np.full_like(correlation, 0.9999)
    for _ in range(50):
        middle = (low + high) / 2
        below = phi(middle, p, q) < correlation
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return (low + high) / 2


@dataclass(frozen=True)
class Target:
    """What the labels are to be like: shares of ones (k,), phi correlations (k, k), reliabilities (k,).

    The reliability of a label is the correlation of its normal number with the appearance that it is the noisy
    threshold of, so that labels correlate less than appearances do.
    """

    share: ndarray
    correlation: ndarray
    reliability: ndarray

    @property
    def pairs(self) -> tuple[ndarray, ndarray]:
        """Rows and columns of the pairs, each pair once."""
        return np.triu_indices(len(self.share), 1)

    @property
    def attenuation(self) -> ndarray:
        """What each pair's correlation of appearances is multiplied with."""
        i, j = self.pairs
        return self.reliability[i] * self.reliability[j]

    def phi(self, covariance: ndarray) -> ndarray:
        """Phi correlations of the labels, one for each pair, where the appearances have this correlation matrix."""
        i, j = self.pairs
        return phi(self.attenuation * covariance[i, j], self.share[i], self.share[j])


def covariance(partial: ndarray) -> ndarray:
    """The correlation matrix (k, k) that has these partial correlations (k, k), zero on the diagonal."""
    inverse = np.linalg.inv(np.eye(len(partial)) - partial)
    scale = np.sqrt(np.diag(inverse))
    return inverse / np.outer(scale, scale)


def first(target: Target, alpha: float) -> ndarray:
    """Partial correlations (k, k) of the graphical lasso on the de-attenuated tetrachoric matrix, made positive."""
    i, j = target.pairs
    wanted = tetrachoric(target.correlation[i, j], target.share[i], target.share[j]) / target.attenuation
    matrix = np.eye(len(target.share))
    matrix[i, j] = matrix[j, i] = wanted.clip(-0.97, 0.97)
    values, vectors = np.linalg.eigh(matrix)
    matrix = (vectors * values.clip(0.02)) @ vectors.T
    scale = np.sqrt(np.diag(matrix))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a start: what follows does not need its optimum
        precision = graphical_lasso(matrix / np.outer(scale, scale), alpha, tol=1e-3)[1]
    scale = np.sqrt(np.diag(precision))
    partial = -precision / np.outer(scale, scale)
    partial[np.abs(partial) < 1e-4] = 0
    np.fill_diagonal(partial, 0)
    return partial


def refit(target: Target, partial: ndarray, ridge: float, steps: int) -> ndarray:
    """Partial correlations on the support of the given ones with least squared error of the phi correlations.

    Levenberg and Marquardt's method; ``ridge`` keeps the matrix away from singular ones.
    """
    i, j = (side[partial[target.pairs] != 0] for side in target.pairs)
    wanted = target.correlation[target.pairs]
    while np.linalg.eigvalsh(np.eye(len(partial)) - partial)[0] < 1e-3:
        partial = partial * 0.98

    def loss(partial: ndarray) -> float:
        if np.linalg.eigvalsh(np.eye(len(partial)) - partial)[0] < 1e-4:
            return np.inf
        error = target.phi(covariance(partial)) - wanted
        return error @ error + ridge**2 * (partial[i, j] ** 2).sum()

    damping, before = 1e-3, loss(partial)
    for _ in range(steps):
        jacobian = _jacobian(target, partial, i, j)
        curvature = jacobian.T @ jacobian + ridge**2 * np.eye(len(i))
        gradient = jacobian.T @ (target.phi(covariance(partial)) - wanted) + ridge**2 * partial[i, j]
        for _ in range(12):
            moved = partial.copy()
            moved[i, j] -= np.linalg.solve(curvature + damping * np.eye(len(i)), gradient)
            moved[j, i] = moved[i, j]
            after = loss(moved)
            if after < before:
                break
            damping *= 4
        else:
            return partial
        partial, damping, gained, before = moved, max(damping / 5, 1e-9), before - after, after
        if gained < 1e-6 * before:
            break
    return partial


def prune(target: Target, partial: ndarray, ridge: float, smallest: float) -> Iterator[ndarray]:
    """Ever sparser partial correlations: drop the twentieth of the edges that matters least, refit, and so on.

    What an edge matters is the loss that dropping it costs while the others adapt (optimal brain surgeon), and
    edges weaker than ``smallest`` go first: no method could find them.
    """
    while True:
        yield partial
        i, j = (side[partial[target.pairs] != 0] for side in target.pairs)
        jacobian = _jacobian(target, partial, i, j)
        curvature = np.linalg.inv(jacobian.T @ jacobian + ridge**2 * np.eye(len(i)))
        cost = partial[i, j] ** 2 / np.diag(curvature) + (np.abs(partial[i, j]) > smallest)
        drop = np.argsort(cost, kind="stable")[: max(1, len(i) // 20)]
        partial = partial.copy()
        partial[i[drop], j[drop]] = partial[j[drop], i[drop]] = 0
        partial = refit(target, partial, ridge, 20)


def _jacobian(target: Target, partial: ndarray, i: ndarray, j: ndarray) -> ndarray:
    """Derivatives (pairs, edges) of the phi correlations by the partial correlations of the edges i, j."""
    inverse = np.linalg.inv(np.eye(len(partial)) - partial)
    variance, (a, b) = np.diag(inverse), target.pairs
    scale = np.sqrt(variance[a] * variance[b])[:, None]
    rho = inverse[a, b][:, None] / scale
    left, right = inverse[:, i], inverse[:, j]
    moved = (left[a] * right[b] + right[a] * left[b]) / scale  # d inverse / d partial, then d of the normalisation
    moved -= rho * (left[a] * right[a] / variance[a][:, None] + left[b] * right[b] / variance[b][:, None])
    attenuated = target.attenuation * rho[:, 0]
    return (slope(attenuated, target.share[a], target.share[b]) * target.attenuation)[:, None] * moved


def _spread(p: ndarray, q: ndarray) -> ndarray:
    return np.sqrt(p * (1 - p) * q * (1 - q))
