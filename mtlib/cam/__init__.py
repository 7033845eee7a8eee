"""Where in the picture does a prediction come from? Class activation maps, Grad-CAM, and scores against known truth.

- ``maps``: Eqs. (15), (16) of MTFAP, for networks that end in a mean over places and a linear head; ``pooled`` makes
  such a trunk of any other.
- ``gradients``: Grad-CAM by captum, for every network that has a last map.
- ``localise``: pointing game and overlap with masks, beside chance and beside a map that always shows the centre.

What a map shows is where a network looks, not why: whether an attribute moves a prediction, ``faces.draw(do=...)``
tells. On drawn faces, where masks are known:

    faces = draw(numbers)
    masks = torch.stack([faces.mask(name) for name in names], 1)  # B n H W
    maps = upsample(cam(method, weights, faces.images), masks.shape[-2:])  # B n H W
    summarise(localise(maps, masks))
"""

from mtlib.cam.gradients import grad_cam
from mtlib.cam.localise import centre, localise, mass, overlap, pointing, summarise
from mtlib.cam.maps import cam, pooled, upsample

__all__ = ["cam", "centre", "grad_cam", "localise", "mass", "overlap", "pointing", "pooled", "summarise", "upsample"]
