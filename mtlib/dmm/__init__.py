"""DMM-CNN (Mao, Yan, Xue and Wang 2020): landmarks beside attributes, two branches, a threshold per attribute.

One map feeds three branches: objective attributes read its maximum over all places, subjective ones a pyramid of
maxima, landmarks its maximum again (`DMM`). Thresholds follow false positives and false negatives on the validation
set (Eq. 6). The weights of Eq. (4) are ``mtlib.weighting.ValidationTrend``, for any method. On a network of your own,
with torch alone:

    attributes = Task("attributes", "binary", ATTRIBUTES)
    model = DMM(body, 512, attributes, grouped(ATTRIBUTES), validations=8)  # an epoch has eight, see below
    optimiser = torch.optim.SGD(model.parameters(), 1e-3)
    for x, y in loader:  # y: (B, 40), -1 where missing
        optimiser.zero_grad(); model.losses(Batch(x, {"attributes": y})).total().backward(); optimiser.step()
        # every P iterations, here an eighth of an epoch, with validation data:
        model.validated(report(model, Split(x_validation, {"attributes": y_validation})))

Where the print is ambiguous or degenerate the default is what data/papers/dmm_readings.md settles (D-1 to D-21).
"""

from mtlib.dmm.branches import Branch, grouped, groups, together
from mtlib.dmm.model import DMM
from mtlib.dmm.pyramid import Pyramid, sides
from mtlib.dmm.report import report
from mtlib.dmm.thresholds import adapted, matched, most_accurate

__all__ = [
    "DMM",
    "Branch",
    "Pyramid",
    "adapted",
    "grouped",
    "groups",
    "matched",
    "most_accurate",
    "report",
    "sides",
    "together",
]
