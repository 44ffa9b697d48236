"""PURE. The figures made from samples."""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

NOISY = 1.25
"""A run is noisy when its baseline's dearest round cost this much more than its cheapest."""


class Spread(NamedTuple):
    """Median and ends of some rounds."""

    middle: float
    least: float
    most: float


def spread(values: Sequence[float]) -> Spread:
    return Spread(median(values), min(values), max(values))


def is_noisy(values: Sequence[float]) -> bool:
    return max(values) > NOISY * min(values)


def ratios(values: Sequence[float], baseline: Sequence[float]) -> Spread:
    """Round by round, so that a slow spell of the machine falls out."""
    return spread([a / b for a, b in zip(values, baseline, strict=True)])


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` of all (0…1) do not exceed; nearest rank."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


class Separation(NamedTuple):
    """How well two samples can be told apart. `auc` 0.5 means not at all; `error` is its standard
    error (Hanley and McNeil 1982); `ks` the largest distance of the two distributions."""

    auc: float
    error: float
    ks: float


def separation(one: Sequence[float], other: Sequence[float]) -> Separation:
    """`auc` is the chance that a value of `one` is larger than a value of `other`; ties half."""
    ordered = sorted(other)
    wins = sum((bisect_left(ordered, x) + bisect_right(ordered, x)) / 2 for x in one)
    n, m = len(one), len(other)
    auc = wins / (n * m)
    q1, q2 = auc / (2 - auc), 2 * auc * auc / (1 + auc)
    variance = auc * (1 - auc) + (n - 1) * (q1 - auc * auc) + (m - 1) * (q2 - auc * auc)
    return Separation(auc, math.sqrt(max(0.0, variance) / (n * m)), _ks(sorted(one), ordered))


def _ks(one: Sequence[float], other: Sequence[float]) -> float:
    return max(
        abs(bisect_right(one, x) / len(one) - bisect_right(other, x) / len(other))
        for x in (*one, *other)
    )
