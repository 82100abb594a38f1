"""What should come out, in closed form. Each function says where it is from.

Replicas are independent and formulas exact unless it says otherwise, so a mean over
replicas lies within four standard errors of them but for one time in 16,000.
Generation 0 of a loop is fitted to human records: it is the formulas' first model.
"""

from __future__ import annotations

from math import log, pi, prod, sqrt
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def replace(m: int, n: int) -> float:
    """E of the n-th variance by maximum likelihood, from 1: ((m-1)/m)^n.

    Each fit takes a factor (m-1)/m, as that variance does (the martingale behind
    Shumailov et al. 2024, Nature 631:755, whose theorem 3.1 has it go to 0).
    """
    return float(((m - 1) / m) ** n)


def log_unbiased(m: int, n: int) -> float:
    """E log of the n-th unbiased variance: n (digamma((m-1)/2) + log(2/(m-1))).

    Each fit multiplies the variance by a chi-square over its m-1 degrees of freedom,
    independent of those before. Its log has this mean, which is below 0: the variance
    goes to 0 almost surely while its mean stays at 1.
    """
    from scipy.special import digamma

    return float(n * (digamma((m - 1) / 2) + log(2 / (m - 1))))


def marginal(m: int, n: int) -> float:
    """E (variance + mean²) of the n-th unbiased fit: 1 + n/m.

    Shumailov et al. 2024, supplement 3.1.1: each mean adds a variance of 1/m.
    """
    return 1 + n / m


def accumulate(m: int, n: int) -> float:
    """E of the n-th variance when all draws so far count: prod 1 - 1/(m i²).

    Derived here. With mean and variance (u, v) of (i-1)m draws and m new ones from
    N(u, v), the mean moves by ybar/i, of variance v/(m i²); the sum of squares about u
    has the expectation i m v, so the new variance has v - v/(m i²). Its limit for
    n to infinity is sin(x)/x with x = pi/sqrt(m).
    """
    return prod(1 - 1 / (m * i * i) for i in range(1, n + 1))


def accumulate_limit(m: int) -> float:
    """Euler's product for the sine."""
    x = pi / sqrt(m)
    return float(np.sin(x) / x)


def mixed(m: int, human: int, pool: int, n: int, *, fixed: bool) -> float:
    """E of the n-th variance when `human` of the m draws are from N(0, 1).

    Derived here, for human draws that are drawn anew from a pool of `pool` or stay the
    same. With r the share that is not human, e the expected variance, v that of the
    squared mean and c that of the mean times a human draw that is about to train:

        c' = r c + (1-r)/k,  k = pool, or the number of human draws where they stay
        v' = (1-r)²/human + r² v + r e/m + 2 r (1-r) c
        e' = (1-r) + r (e + v) - v'

    The first fit is to m human draws, with c = 1/pool (they are among them), or 1/m.
    """
    r, k = 1 - human / m, human if fixed else pool
    e, v, c = 1 - 1 / m, 1 / m, 1 / (m if fixed else pool)
    for _ in range(n - 1):
        new = (1 - r) ** 2 / human + r * r * v + r * e / m + 2 * r * (1 - r) * c
        e, v, c = (1 - r) + r * (e + v) - new, new, r * c + (1 - r) / k
    return e


def fresh_limit(m: int, r: float) -> float:
    """The limit of `mixed` for fresh draws from a pool without end.

    e' = e and v' = v give v (1-r²) = (1 - r + r e)/m and e = 1 - v.
    """
    return 1 - 1 / (m * (1 - r * r) + r)


def fixed_limit(m: int, r: float) -> float:
    """The limit of `mixed` for human draws that stay the same: c = 1/human."""
    a = r / (m * (1 - r * r))
    return 1 - (a + 1 / ((1 - r) * m)) / (1 + a)


def heterozygosity(shares: Array, m: int, n: int) -> float:
    """E of 1 - sum p² after n estimates from m draws each: (1 - 1/m)^n of the first.

    Wright 1931, Genetics 16:97: two draws are the same one with probability 1/m.
    """
    return float((1 - (shares**2).sum()) * (1 - 1 / m) ** n)


def lost(shares: Array, m: int, n: int) -> Array:
    """P that a word of the given share is gone after n estimates from m draws each.

    Exact: the count of one word is a Markov chain with binomial steps, and `gone`
    for a count i is the mean of `gone` one step later.
    """
    gone = (1 - np.arange(m + 1) / m) ** m
    for _ in range(n - 2):
        gone = _binomial(np.arange(m + 1) / m, m) @ gone
    if n == 1:
        return np.asarray((1 - shares) ** m)
    return np.asarray(_binomial(shares, m) @ gone)


def sharpened(p: float, heat: float, m: int, n: int) -> float:
    """E of a share after n estimates from m draws, each but the first at `heat`.

    Of two words. Exact: the chain of `lost`, with chances p^(1/heat) normalised. For m
    to infinity its logit is that of p over heat^(n-1).
    """
    shares = np.arange(m + 1) / m
    odds = shares ** (1 / heat), (1 - shares) ** (1 / heat)
    step = _binomial(odds[0] / (odds[0] + odds[1]), m)
    counts = _binomial(np.array([p]), m)[0]
    for _ in range(n - 1):
        counts = counts @ step
    return float(counts @ shares)


def sharpened_limit(p: float, heat: float, n: int) -> float:
    """`sharpened` without the noise of finite samples: logit p_n = logit p / heat^n."""
    return float(1 / (1 + ((1 - p) / p) ** (1 / heat ** (n - 1))))


def _binomial(chances: Array, m: int) -> Array:
    """P(count | chance): one row per chance, one column per count."""
    from scipy.stats import binom

    return np.asarray(binom.pmf(np.arange(m + 1)[None, :], m, chances[:, None]))


def linear_replace(d: int, rows: int, n: int) -> float:
    """Excess error after n fits in a row, noise 1: n d/(rows - d - 1).

    Gerstgrasser et al. 2024, arXiv:2404.01413, theorem 1 for isotropic inputs: each
    fit adds the trace of E (X'X)^-1, whose X'X is Wishart.
    """
    return n * d / (rows - d - 1)


def linear_accumulate(d: int, rows: int, n: int) -> float:
    """The same when labels accumulate, for the same inputs: the n-th adds 1/n².

    Gerstgrasser et al. 2024, theorem 2; at most pi²/6 of the first.
    """
    return linear_replace(d, rows, 1) * sum(1 / (i * i) for i in range(1, n + 1))


def linear_bound(d: int, rows: int) -> float:
    """What accumulated labels stay below."""
    return linear_replace(d, rows, 1) * pi**2 / 6


def linear_mixed(d: int, human: int, synthetic: int) -> float:
    """Excess error with labels of another model, at distance 1, among human ones.

    Dohmatob et al. 2024, arXiv:2410.04840, have d/n + p² for large n, p the share of
    synthetic rows. Exact, derived here: with S = S1 + S2 the Gram matrices of human and
    synthetic rows, the error is d/(n-d-1) for the noise and E tr(B S^-1 B S)/d for the
    shift, where B, of S2 in the basis of S, is a matrix beta that is independent of S.
    Moments of S give E[S^-1_ii S_ii] = (n-2)/(n-d-1), E[S^-1_ij S_ij] = -1/(n-d-1);
    those of B follow from its diagonal being a beta, its 2 by 2 blocks' determinant a
    product of two betas, and its invariance under rotations.
    """
    n, p = human + synthetic, synthetic / (human + synthetic)
    square = p * (synthetic + 2) / (n + 2)  # E B_ii²
    minor = p * (synthetic - 1) / (n - 1)  # E (B_ii B_jj - B_ij²)
    off = (square - minor) / 3  # E B_ij², as E B_ii² = E B_ii B_jj + 2 E B_ij²
    shift = (n - 2) * (square + (d - 1) * off) - (d - 1) * minor
    return (d + shift) / (n - d - 1)


def unseen(law: Array, draws: Array, size: int) -> float:
    """P that the next word of `law` is none of `size` words drawn from `draws`."""
    return float(law @ (1 - draws) ** size)


def breakdown(phi: float, psi: float) -> float:
    """The share of wrong labels up to which a verifier suffices: 1/(1 + psi/phi).

    Feng et al. 2024, arXiv:2406.07515. What is kept points the right way while
    phi (1-p) > psi p.
    """
    return 1 / (1 + psi / phi)
