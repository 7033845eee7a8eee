"""The tables and claims of the search: Tables 1 to 3 and 5, the map of transfer with its significance, Fig. 3."""

from collections.abc import Callable, Mapping, Sequence

import pandas as pd
import torch
from scipy.stats import ttest_1samp
from torch import Tensor

from mtlib.experiments import pair_choice
from mtlib.experiments.face_summary import spelled
from mtlib.experiments.pair_choice import TEST, VALIDATION, Gain, base, chosen, filled, over
from mtlib.experiments.pair_summary import Found
from mtlib.metrics import false_discovery, mean_of

Samples = dict[str, list[float]]  # {estimate: [one per seed]}
AAL = "adversarial, worst partner"


def rows_of_table1(tries: int) -> dict[str, Callable[[Found], Gain]]:
    """What stands in our Table 1: {name: gain over one single network on (validation, test)}."""
    return {
        "multi-task, all attributes": lambda one: over(one.multi, base(one)),
        "multi-task, eight times as wide": lambda one: over(one.wide, base(one)),
        "shared with the worst partner": pair_choice.worst_partner,
        AAL: lambda one: pair_choice.arm_gain(one, "reversal"),
        "adversarial, λ for each": lambda one: pair_choice.arm_gain(one, "reversal", each=True),
        "adversarial, GAN": lambda one: pair_choice.arm_gain(one, "gan"),
        "adversarial, Wasserstein": lambda one: pair_choice.arm_gain(one, "wasserstein"),
        "adversarial, shared trunk": lambda one: pair_choice.arm_gain(one, "shared"),
        "adversarial, all partners": lambda one: pair_choice.arm_gain(one, "group"),
        "adversarial, random partner": lambda one: pair_choice.arm_gain(one, "random partner"),
        "chance: best of so many single": lambda one: _mean(pair_choice.replicate_gains(one, tries)),
        "chance: each its best single": lambda one: _mean(pair_choice.replicate_gains(one, tries, each=True)),
        "chance: worst of 39 single": pair_choice.worst_replicate,
    }


def _mean(gains: Sequence[Gain]) -> Gain:
    return tuple(torch.tensor(gains, dtype=torch.double).mean(0).tolist())


def table1(seeds: Sequence[Found], tries: int) -> dict[str, dict[str, list[float]]]:
    """{row: {"validation", "test": gain over a single network, one per seed}}, see ``rows_of_table1``."""
    found = {}
    for name, gain in rows_of_table1(tries).items():
        both = [gain(one) for one in seeds]
        found[name] = {split: [pair[k] for pair in both] for k, split in enumerate(("validation", "test"))}
    return found


def spelled_table1(gains: Mapping[str, Mapping[str, Sequence[float]]], printed: Mapping[str, float]) -> pd.DataFrame:
    """``table1`` as text, the printed gains on photographs (validation, one run) beside.

    Args:
        printed: {row: points}; rows without are left blank.
    """
    lines = {}
    for name, own in gains.items():
        line = {f"drawn, {split}": spelled(values, sign=True) for split, values in own.items()}
        lines[name] = line | {"photographs, validation": f"{printed[name]:+.2f}" if name in printed else "–"}
    return pd.DataFrame(lines).T


# ------------------------------------------------------------------ the map


def transfer_map(seeds: Sequence[Found], level: float = 0.05) -> tuple[Tensor, Tensor]:
    """What each partner (column) gives each attribute (row) on test data, and which of it is no chance finding.

    Returns:
        (M, M) mean over seeds in points, NaN on the diagonal; (M, M) bool: of all that are marked, the expected share
        that differs from 0 by chance alone is below ``level`` (Benjamini and Hochberg, over all M (M - 1)).
    """
    maps = torch.stack([pair_choice.steady_gains(one) for one in seeds])  # seeds M M
    mean = maps.mean(0)
    known = ~mean.isnan()
    if len(seeds) < 2:
        return mean, torch.zeros_like(known)
    p = ttest_1samp(maps[:, known].numpy(), 0.0).pvalue
    marked = torch.zeros_like(known)
    marked[known] = torch.tensor(false_discovery(p.tolist())) < level
    return mean, marked


def agreement(seeds: Sequence[Found]) -> float:
    """How well two seeds' maps agree: the mean correlation over all pairs of seeds, of their M (M - 1) entries."""
    maps = torch.stack([pair_choice.steady_gains(one) for one in seeds])
    off = maps[:, ~maps[0].isnan()]
    between = torch.corrcoef(off)
    return between[~torch.eye(len(seeds), dtype=torch.bool)].mean().item()


def same_partner(seeds: Sequence[Found]) -> float:
    """How often two seeds that both find a worst partner find the same, in per cent; by chance 100 / (M - 1)."""
    partners = torch.stack([one.partner for one in seeds])  # seeds M
    apart = ~torch.eye(len(seeds), dtype=torch.bool).unsqueeze(2)
    both = (partners >= 0)[:, None] & (partners >= 0)[None] & apart  # seeds seeds M
    return 100 * (partners[:, None] == partners[None])[both].double().mean().item()


def label_correlation(one: Found, size: bool = False) -> float:
    """Fig. 3: correlation, over all ordered pairs, of label correlation and relative change of accuracy.

    size: of the size of label correlation instead, whatever its sign.
    """
    gain = pair_choice.steady_gains(one) / one.single[..., TEST].mean(0).unsqueeze(1)
    off = ~gain.isnan()
    labels = one.correlation.abs() if size else one.correlation
    return torch.corrcoef(torch.stack([labels[off], gain[off]]))[0, 1].item()


# ------------------------------------------------------------------ Tables 2, 3 and 5


def table3(seeds: Sequence[Found]) -> dict[str, Tensor]:
    """{"shared", "adversarial": (seeds, M, 2) points over a single network}: Fig. 2 and Table 3 on drawn faces."""
    shared, adversarial = [], []
    for one in seeds:
        own = pair_choice.gains(one)
        at = one.partner.clamp(min=0)
        worst = own[torch.arange(len(at)), at]  # M 2
        shared.append(torch.where((one.partner >= 0).unsqueeze(1), worst, 0.0))
        adversarial.append(chosen(filled(one, "reversal"))[0] - base(one))
    return {"shared": torch.stack(shared), "adversarial": torch.stack(adversarial)}


def negatives(seeds: Sequence[Found]) -> list[float]:
    """Table 5: the share of ordered pairs whose partner takes something on validation, in per cent, one per seed."""
    shares = []
    for one in seeds:
        own = pair_choice.gains(one)[..., VALIDATION]
        shares.append(100 * (own < 0).sum().item() / (~own.isnan()).sum().item())
    return shares


def most_frequent(seeds: Sequence[Found]) -> tuple[int, list[float]]:
    """The attribute that is the worst partner most often, and of how many per cent of the others, one per seed."""
    m = seeds[0].single.shape[1]
    counts = torch.stack([torch.bincount(one.partner[one.partner >= 0], minlength=m) for one in seeds])
    at = int(counts.sum(0).argmax())
    return at, [100 * count / (m - 1) for count in counts[:, at].tolist()]


def share_of(seeds: Sequence[Found], attribute: int) -> list[float]:
    """Of how many per cent of the others an attribute is the worst partner, one per seed."""
    return [100 * (one.partner == attribute).sum().item() / (len(one.partner) - 1) for one in seeds]


# ------------------------------------------------------------------ claims


def samples(seeds: Sequence[Found], tries: int, big_lips: int | None = None) -> Samples:
    """Every estimate that aal.toml asks for, one value per seed.

    Args:
        big_lips: the place of that attribute; None where the data have none.
    """
    own = table1(seeds, tries)
    found = {f"{name}, {split}": values for name, both in own.items() for split, values in both.items()}

    def minus(first: str, second: str, split: str) -> list[float]:
        return [a - b for a, b in zip(own[first][split], own[second][split], strict=True)]

    pairs = [
        ("shared with the worst partner", "chance: worst of 39 single"),
        (AAL, "chance: best of so many single"),
        ("adversarial, λ for each", "chance: each its best single"),
        (AAL, "adversarial, random partner"),
        (AAL, "shared with the worst partner"),
        (AAL, "multi-task, all attributes"),
        (AAL, "adversarial, GAN"),
        (AAL, "adversarial, Wasserstein"),
        (AAL, "adversarial, all partners"),
        (AAL, "adversarial, shared trunk"),
    ]
    for first, second in pairs:
        for split in ("validation", "test"):
            found[f"{first} minus {second}, {split}"] = minus(first, second, split)
    found["|label correlation with transfer| below 0.1"] = [0.1 - abs(label_correlation(one)) for one in seeds]
    found["negative pairs"] = [share - 50 for share in negatives(seeds)]
    if big_lips is not None:
        found["Big Lips is the worst partner"] = share_of(seeds, big_lips)
    if len(seeds) > 2:
        found["worst partners in the other seeds"] = pair_choice.elsewhere(seeds)
    return found


def scoreboard(seeds: Sequence[Found], tries: int) -> dict[str, object]:
    """Rows for the side-by-side notebook: test gains over a single network and over multi-task learning of all."""
    own = table1(seeds, tries)
    multi = own["multi-task, all attributes"]["test"]
    found = {}
    for name, both in own.items():
        found[f"{name}, over single"] = both["test"]
        if "multi-task" not in name:
            found[f"{name}, over multi-task"] = [a - b for a, b in zip(both["test"], multi, strict=True)]
    return {name: mean_of(values) for name, values in found.items() if len(values) > 1}
