"""What the AAL paper prints (Tables 1 to 6, Fig. 3), and what follows from it."""

import numpy as np
import pandas as pd
from numpy import ndarray

from mtlib.adversarial import best_of, printed_noise
from mtlib.paths import repository

FOLDER = repository() / "data" / "papers"
IMAGES = 19_867  # of the validation split
TEST_IMAGES = 19_962
ATTRIBUTES = 40
CANDIDATES = {"partners": 39, "weights": 5, "moments": 6}
SUSPECT = ("row", "cell")  # rows of Table 4 that are not used (L-15)
# {setting of Table 1: as notebooks call it}
ROWS = {
    "Multi task with all attributes": "multi-task, all attributes",
    "Pairwise adversarial training": "adversarial, worst partner",
    "Pairwise adversarial training with GAN loss": "adversarial, GAN",
    "Pairwise adversarial training with Wasserstein-GAN loss": "adversarial, Wasserstein",
    "Pairwise adversarial training with shared CNN representation": "adversarial, shared trunk",
    "Multiple adversarial training": "adversarial, all partners",
}
# What the text says, and what its tables give: see ``quoted``.
TOLD_DUKE = {"single-task": 92.19, "adversarial": 92.32}
TOLD_NOT_IMPROVED = (2, 5, 16, 23, 24, 35, 38)


def table(number: int) -> pd.DataFrame:
    """Table 1 to 6 as printed.

    Raises:
        ValueError: another number.
    """
    if number not in range(1, 7):
        raise ValueError(f"the paper has Tables 1 to 6, got {number!r}")
    return pd.read_csv(FOLDER / f"aal_table{number}.csv")


def gains() -> dict[str, dict[str, float]]:
    """{row: {"validation", "test": points over a single network}}: Tables 1, 2 and 3; 92.31 for all partners (L-9)."""
    own = table(1).set_index("setting")["mean_val_acc"]
    single = own["Single task training per attribute"]
    found = {name: {"validation": round(float(own[setting] - single), 2)} for setting, name in ROWS.items()}
    found["adversarial, all partners"]["validation"] = round(float(table(5)["acc"].iloc[-1] - single), 2)
    found["shared with the worst partner"] = {"validation": mean_of_table3("mul_minus_sin")}
    test = table(2).set_index("method")["mean_test_acc"]
    for method, name in (("Multi Task", "multi-task, all attributes"), ("Ours", "adversarial, worst partner")):
        found[name]["test"] = round(float(test[method] - test["Single Task"]), 2)
    return found


def mean_of_table3(column: str) -> float:
    """The mean of a column of Table 3 over its forty rows, to two digits."""
    return round(float(table(3)[column].iloc[:ATTRIBUTES].mean()), 2)


def negatives() -> ndarray:
    """(40, 40) bool: by Table 5, does the partner (column) take something from the attribute (row)?"""
    found = np.zeros((ATTRIBUTES, ATTRIBUTES), dtype=bool)
    for row, listed in enumerate(table(5)["adversarial_atts"].iloc[:ATTRIBUTES]):
        found[row, [int(place) - 1 for place in str(listed).split()]] = True
    return found


def worst_partners() -> pd.Series:
    """Of how many attributes each is the worst partner, by Table 3; most frequent first."""
    return table(3)["neg_att"].iloc[:ATTRIBUTES].astype(int).value_counts()


def improved() -> dict[str, list[int]]:
    """{"better", "equal", "worse": attributes of Table 3, adversarial against single-task}."""
    own = table(3).iloc[:ATTRIBUTES]
    gain = own["adv_minus_sin"]
    signs = {"better": gain > 0, "equal": gain == 0, "worse": gain < 0}
    return {name: own["att"][sign].astype(int).tolist() for name, sign in signs.items()}


def duke(attribute_14: bool = True) -> dict[str, float]:
    """Means of Table 6; attribute 14, which has no negative partner, counts as its single network, or not at all."""
    own = table(6).iloc[:23].astype({"sin": float})
    columns = {"single-task": "sin", "with the worst partner": "mul", "adversarial": "adv"}
    found = {name: own[column].astype(float) for name, column in columns.items()}
    found = {
        name: values.fillna(own["sin"]) if attribute_14 else values[own["mul"].notna()]
        for name, values in found.items()
    }
    return {name: round(float(values.mean()), 2) for name, values in found.items()}


def standard_errors() -> dict[str, float]:
    """{accuracy: standard error in points on the validation pictures} (L-6)."""
    return {f"{p} %": round(printed_noise(p, IMAGES).item(), 2) for p in (85, 92, 99)}


def by_chance(noise: float = 0.1) -> dict[str, float]:
    """What choosing gives among runs that differ by nothing but noise of so many points (L-6)."""
    tries = CANDIDATES["weights"] * CANDIDATES["moments"]
    return {
        f"worst of {CANDIDATES['partners']}": round(-noise * best_of(CANDIDATES["partners"]), 2),
        f"best of {CANDIDATES['weights']}": round(noise * best_of(CANDIDATES["weights"]), 2),
        f"best of {tries}": round(noise * best_of(tries), 2),
    }


def chance_gains(
    noise: float, candidates: int, lasting: float = 0.5, tries: int = 2000, seed: int = 0
) -> dict[str, ndarray]:
    """The mean gain over forty attributes of keeping the best of ``candidates`` runs that differ by chance, over one.

    A run's accuracy on validation pictures departs from its attribute's by normal noise; on test pictures by as much.
    The choice is made on validation, for each attribute by itself.

    Args:
        noise: standard deviation of a run on either set, points.
        lasting: correlation between a run's two departures: 0 is noise of the pictures, 1 a run that is truly better.
        tries: how often.

    Returns:
        {"validation", "test": (tries,) points}.

    Raises:
        ValueError: no candidate, a noise below 0, or a correlation that is not 0 to 1.
    """
    if candidates < 1 or noise < 0 or not 0 <= lasting <= 1:
        raise ValueError(f"needs 1 candidate, noise of 0, lasting 0 to 1; got {candidates}, {noise}, {lasting}")
    random = np.random.default_rng(seed)
    shape = (tries, candidates + 1, ATTRIBUTES)  # the first run is the one that others are compared with
    stays = lasting**0.5 * random.standard_normal(shape)
    seen = {
        split: noise * (stays + (1 - lasting) ** 0.5 * random.standard_normal(shape))
        for split in ("validation", "test")
    }
    best = seen["validation"][:, 1:].argmax(1)[:, None] + 1  # tries 1 attributes
    return {split: (np.take_along_axis(values, best, 1)[:, 0] - values[:, 0]).mean(1) for split, values in seen.items()}


def quoted() -> pd.DataFrame:
    """What the text says beside what its own tables give (L-8 to L-11)."""
    better = improved()
    six = duke()
    lines = [
        ("attributes that improve (Sec. 4.2)", "34", str(len(better["better"]))),
        (
            "attributes that do not",
            f"six, lists {len(TOLD_NOT_IMPROVED)}",
            f"{len(better['worse'])}, {len(better['equal'])} equal",
        ),
        (
            "multiple adversarial",
            "92.31",
            f"91.31 (Table 1), {table(5)['acc'].iloc[:ATTRIBUTES].mean():.2f} (mean of Table 5)",
        ),
        ("pedestrians, single-task", f"{TOLD_DUKE['single-task']:.2f}", f"{six['single-task']:.2f}"),
        ("pedestrians, adversarial", f"{TOLD_DUKE['adversarial']:.2f}", f"{six['adversarial']:.2f}"),
        ("attribute 8's fourth pair", "8", "17"),
    ]
    return pd.DataFrame(lines, columns=["", "text", "tables"]).set_index("")
