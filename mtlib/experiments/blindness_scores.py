"""Is a network blind to an attribute? Probes of its features, its maps on known pixels, and interventions.

All scores are per cent unless said otherwise, and balanced: half is what a coin has, however rare the attribute.
"""

import math

import torch
from torch import Tensor

from mtlib.adversarial import Adversarial
from mtlib.cam import cam, upsample
from mtlib.cam.localise import mass
from mtlib.metrics.columns import auc
from mtlib.metrics.probes import balanced, floor, guessed, linear_probe, mlp_probe
from mtlib.tasks import Split

ROWS = 512  # images put through a network at a time


# ------------------------------------------------------------------ where it looks, and what moves it


def evidence(maps: Tensor, masks: Tensor, has: Tensor) -> tuple[float, float]:
    """Mean share of a map's positive part on known pixels, per cent, and what an even map has: their area.

    Args:
        maps: (B, H, W).  masks: (B, H, W) bool.  has: (B,) bool, the faces that count.

    Returns:
        NaN, NaN where no face counts that shows a pixel of the mask.
    """
    share = mass(maps.unsqueeze(1), masks.unsqueeze(1))[:, 0]
    area = masks.double().mean((1, 2))
    counts = has & ~share.isnan()
    return 100 * share[counts].mean().item(), 100 * area[counts].mean().item()


def moved(without: Tensor, with_it: Tensor, plain: Tensor) -> float:
    """By how much logits (N,) rise when an attribute is set instead of unset on the same faces.

    In standard deviations of the logit over the faces as they are; 0 for a logit that is the same of all.
    """
    spread = plain.double().std()
    return 0.0 if spread == 0 else ((with_it - without).double().mean() / spread).item()


# ------------------------------------------------------------------ a network


@torch.no_grad()
def read(method: Adversarial, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Features (N, K), logits of the main attribute (N,) and what the adversary says (N,), in evaluation mode.

    Afterwards every module is in the mode that it was in.
    """
    modes = {module: module.training for module in method.modules()}
    method.eval()
    parts = [(h, method.head(h)[:, 0], method.guess(h)[:, 0]) for h in map(method.trunk, x.split(ROWS))]
    for module, mode in modes.items():
        module.training = mode
    return tuple(torch.cat(part).cpu() for part in zip(*parts, strict=True))


def scores(
    method: Adversarial, probing: Split, test: Split, set_by_hand: tuple[Tensor, Tensor], masks: Tensor, seed: int
) -> dict[str, float | None]:
    """What is kept of a network whose tasks are called "main" and "partner", one column each.

    Args:
        probing: faces that the probes learn from; neither the network's training faces nor the test's.
        test: faces for all scores.
        set_by_hand: pictures (N', 3, H, W) of the first N' test faces without and with the partner, all else unchanged.
        masks: (N', 2, H, W) bool, the pixels of main attribute and partner on these faces.
        seed: of the MLP probe.

    Returns:
        Numbers, None where there is none: "accuracy", "balanced" of the main attribute; "adversary", "adversary AUC"
        of the partner, by the network's own adversary; "linear probe", "MLP probe" of the partner; "floor", see
        ``floor``; "logit", a linear probe of nothing but the main attribute's logit; "mass partner", "mass own", share
        of the map's positive evidence on their pixels, on faces with the main attribute, and "area partner", "area
        own", what an even map has; "plain", "do 0", "do 1", balanced accuracy of the main attribute on the N' faces as
        they are, and with the partner unset and set; "moved", see ``moved``, in standard deviations.
    """
    h, z, guess = read(method, test.x)
    learned, own, tried = read(method, probing.x)
    a, b = (test.y[name][:, 0].cpu() for name in ("main", "partner"))
    known = probing.y["partner"][:, 0].cpu()
    n = len(masks)
    off, on = (read(method, images)[1] for images in set_by_hand)
    maps = upsample(cam(method.trunk, method.head.weight.T, test.x[:n]), masks.shape[-2:])[:, 0].cpu()
    own_mask, partner_mask = masks.cpu().unbind(1)
    regions = {"own": own_mask, "partner": partner_mask}
    lies = {name: evidence(maps, mask, a[:n] == 1) for name, mask in regions.items()}
    found = {
        "accuracy": 100 * ((z > 0) == (a == 1)).double().mean().item(),
        "balanced": balanced(z > 0, a),
        "adversary": guessed((tried, known), (guess, b)),
        "adversary AUC": 100 * auc(guess.unsqueeze(1), b.unsqueeze(1)).item(),
        "linear probe": linear_probe((learned, known), (h, b)),
        "MLP probe": mlp_probe((learned, known), (h, b), seed),
        "floor": floor(a, b),
        "logit": linear_probe((own.unsqueeze(1), known), (z.unsqueeze(1), b)),
        "plain": balanced(z[:n] > 0, a[:n]),
        "do 0": balanced(off > 0, a[:n]),
        "do 1": balanced(on > 0, a[:n]),
        "moved": moved(off, on, z[:n]),
        **{f"mass {name}": share for name, (share, _) in lies.items()},
        **{f"area {name}": area for name, (_, area) in lies.items()},
    }
    return {name: value if math.isfinite(value) else None for name, value in found.items()}
