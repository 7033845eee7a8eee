"""Scores of predictions, correlations between labels, and statistics over seeds. Missing labels never count.

- ``columns``, ``points``: accuracy, F1, ROC ... of tensors (N, c), one value per column; NaN where it has no meaning.
- ``evaluate``: the same of a method on a split, as a table, and as a score for ``training.fit``.
- ``pairs``: verification, is it the same person on both pictures.
- ``probes``: what fresh probes read from features, and what one label tells of another.
- ``correlations``: between label columns, plain and balanced.
- ``intervals``, ``comparisons``: mean and interval over seeds, paired tests, corrections for many tests.
"""

from importlib import import_module

_HOMES = {
    "columns": ("Roc", "accuracy", "auc", "balanced_accuracy", "f1", "roc"),
    "comparisons": ("Paired", "false_discovery", "holm", "paired"),
    "correlations": ("balanced_correlation", "correlation", "matrix_correlation", "matrix_distance"),
    "evaluate": ("balanced", "correlation_matrices", "outputs", "predictions", "table"),
    "intervals": ("Interval", "interval", "mean_of", "single_run"),
    "pairs": ("FoldAccuracy", "equal_error_rate", "fold_accuracy", "rate_at", "verification", "verification_roc"),
    "points": ("mean_absolute_error", "r2", "root_mean_square_error"),
    "probes": ("floor", "linear_probe", "mlp_probe"),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}
__all__ = sorted(_HOME)


def __getattr__(name: str) -> object:
    """A public name, from its home. On demand: claims need intervals where there is no torch, scores no scipy."""
    if name in _HOME:
        return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    if name in _HOMES:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOME, *_HOMES])
