"""Numbers by counting: a pure function of (seed, stream, index, lane), whatever the batch, its order or the device.

A device's generator gives face 7 other numbers in another batch. A hash of the face's own number cannot. What follows
the hash is made of single additions, multiplications, divisions and square roots, each of which IEEE 754 rounds in one
way only; library functions such as ``erfinv`` or ``log`` differ in the last bit between devices, and even between the
middle and the end of one tensor.
"""

import math

import torch
from torch import Tensor

from mtlib.seeds import derive

# SplitMix64 (Steele, Lea and Flood, 2014): the odd step between lanes and the two multipliers of its finaliser.
STEP, FIRST, SECOND = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB

# Wichura's AS 241 (1988): the normal quantile to about 1e-16, as ratios of polynomials; highest power first.
MIDDLE = (
    (2509.0809287301226727, 33430.575583588128105, 67265.770927008700853, 45921.953931549871457, 13731.693765509461125,
     1971.5909503065514427, 133.14166789178437745, 3.387132872796366608),
    (5226.495278852545925, 28729.085735721942674, 39307.89580009271061, 21213.794301586595867, 5394.1960214247511077,
     687.1870074920579083, 42.313330701600911252, 1.0),
)  # fmt: skip
TAIL = (
    (7.7454501427834140764e-4, 0.0227238449892691845833, 0.24178072517745061177, 1.27045825245236838258,
     3.64784832476320460504, 5.7694972214606914055, 4.6303378461565452959, 1.42343711074968357734),
    (1.05075007164441684324e-9, 5.475938084995344946e-4, 0.0151986665636164571966, 0.14810397642748007459,
     0.68976733498510000455, 1.6763848301838038494, 2.05319162663775882187, 1.0),
)  # fmt: skip
FAR = (
    (2.01033439929228813265e-7, 2.71155556874348757815e-5, 0.0012426609473880784386, 0.026532189526576123093,
     0.29656057182850489123, 1.7848265399172913358, 5.4637849111641143699, 6.6579046435011037772),
    (2.04426310338993978564e-15, 1.4215117583164458887e-7, 1.8463183175100546818e-5, 7.868691311456132591e-4,
     0.0148753612908506148525, 0.13692988092273580531, 0.59983220655588793769, 1.0),
)  # fmt: skip


def uniform(seed: int, stream: str, index: Tensor, lanes: int) -> Tensor:
    """Uniform numbers strictly between 0 and 1, ``lanes`` for each index.

    Args:
        seed: any integer; another seed gives unrelated numbers.
        stream: what the numbers are for; another name gives unrelated numbers.
        index: (n,) int64, face or identity numbers.
        lanes: numbers for each index; the first lanes do not depend on how many there are.

    Returns:
        (n, lanes) float64 on the device of ``index``: odd multiples of 2**-53. Apple's devices have no float64; there
        the CPU works and the result is float32.
    """
    if index.device.type == "mps":
        return uniform(seed, stream, index.cpu(), lanes).float().clamp(max=1 - 2**-24).to(index.device)
    bits = _logical_shift(_hash(derive("faces", stream, seed), index, lanes), 12)  # n lanes, 52 bits each
    return bits.double().add_(0.5).mul_(2.0**-52)


def normal(seed: int, stream: str, index: Tensor, lanes: int) -> Tensor:
    """Standard normal numbers, ``lanes`` for each index: the quantiles of what :func:`uniform` gives.

    Returns:
        (n, lanes) float64 on the device of ``index``, within about 8.2 of zero.
    """
    if index.device.type == "mps":
        return normal(seed, stream, index.cpu(), lanes).float().to(index.device)
    return quantile(uniform(seed, stream, index, lanes))


def quantile(u: Tensor) -> Tensor:
    """The standard normal quantile of probabilities u strictly between 0 and 1, any shape, float64 (AS 241)."""
    q = u - 0.5
    value = q * _ratio(MIDDLE, 0.180625 - q * q)
    outer = (q.abs() > 0.425).nonzero(as_tuple=True)  # 15 %
    r = (-_log(torch.minimum(u[outer], 1 - u[outer]))).sqrt()
    tail = torch.where(r <= 5, _ratio(TAIL, r - 1.6), _ratio(FAR, r - 5))
    value[outer] = torch.where(q[outer] < 0, -tail, tail)
    return value


def _hash(key: int, index: Tensor, lanes: int) -> Tensor:
    """64 hashed bits as (n, lanes) int64: one SplitMix64 sequence for each index, begun at the index's own hash."""
    start = _mix(index[:, None] * _signed(STEP) + key)
    return _mix(start + torch.arange(1, lanes + 1, device=index.device) * _signed(STEP))


def _mix(x: Tensor) -> Tensor:
    """SplitMix64's finaliser, a bijection of 64 bits; int64 products wrap, which is what it wants."""
    x = (x ^ _logical_shift(x, 30)) * _signed(FIRST)
    x = (x ^ _logical_shift(x, 27)).mul_(_signed(SECOND))
    return x ^ _logical_shift(x, 31)


def _logical_shift(x: Tensor, places: int) -> Tensor:
    """Shift right and fill with zeros; torch's own shift of an int64 fills with the sign."""
    return (x >> places).bitwise_and_((1 << (64 - places)) - 1)


def _signed(x: int) -> int:
    return x - (1 << 64) if x >= 1 << 63 else x


def _ratio(coefficients: tuple[tuple[float, ...], tuple[float, ...]], x: Tensor) -> Tensor:
    above, below = (_polynomial(part, x) for part in coefficients)
    return above.div_(below)


def _polynomial(coefficients: tuple[float, ...], x: Tensor) -> Tensor:
    value = x * coefficients[0]
    for coefficient in coefficients[1:-1]:
        value.add_(coefficient).mul_(x)  # two roundings: one fused operation would round once, and not everywhere
    return value.add_(coefficients[-1])


def _log(x: Tensor) -> Tensor:
    """The natural logarithm of x > 0 to about 1e-16, from log m = 2 artanh((m - 1) / (m + 1)), m within sqrt 2 of 1."""
    mantissa, exponent = torch.frexp(x)  # x = mantissa * 2**exponent exactly, mantissa in [0.5, 1)
    low = mantissa < math.sqrt(0.5)
    mantissa = torch.where(low, mantissa * 2, mantissa)
    exponent = exponent.double() - low.double()
    s = (mantissa - 1) / (mantissa + 1)
    series = tuple(2.0 / k for k in range(23, 0, -2))  # |s| <= 0.172: the next term is below 1e-19
    return _polynomial(series, s * s).mul_(s).add_(exponent * math.log(2))
