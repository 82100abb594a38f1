"""What is measured of a model and of the data that it writes.

What each number means is in `definitions`. All are pure functions that come out
the same bit for bit: sums are exactly rounded (`math.fsum`), samples are chosen by
hash. Seconds, tokens per second and memory are not measures: they belong to the
event.

The measures of diversity have no direction. At a temperature below 1 a loop loses
diversity, at 1 an under-fitted one drifts into noise and gains it; away from the
reference is bad on either side.
"""

import gzip
import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from lineage.errors import LineageError
from lineage.loop.measuring.definitions import MEASURES
from lineage.loop.measuring.intervals import NORMAL_95
from lineage.loop.seeds import order
from lineage.store.objects import Metric

_WORD = re.compile(r"\w+")
_RARE = 2
_LARGEST_LOSS = 700  # nats; exp of a little more is no number
_TAIL = 0.95


@dataclass(frozen=True, slots=True)
class Corpus:
    """Texts and, for each, its token ids."""

    texts: Sequence[str]
    tokens: Sequence[Sequence[int]]

    @property
    def size(self) -> int:
        """How many tokens it has."""
        return sum(map(len, self.tokens))

    def sample(self, size: int, seed: int) -> "Corpus":
        """Records in the seed's order up to exactly `size` tokens (all, if fewer).

        The last record's tokens are cut to fit; texts stay whole.
        """
        texts, tokens = [], []
        for index in order(len(self.tokens), seed, "sample"):
            if size <= 0:
                break
            texts.append(self.texts[index])
            tokens.append(self.tokens[index][:size])
            size -= len(tokens[-1])
        return Corpus(texts, tokens)


def distinct_1(corpus: Corpus) -> Metric:
    """The share of tokens that are distinct."""
    return _distinct("distinct_1", [t for row in corpus.tokens for t in row])


def distinct_2(corpus: Corpus) -> Metric:
    """The share of token pairs that are distinct."""
    return _distinct("distinct_2", [p for row in corpus.tokens for p in pairwise(row)])


def _distinct(id: str, grams: Sequence[object]) -> Metric:
    return MEASURES[id].metric(_ratio(len(set(grams)), len(grams)), len(grams))


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def unigram_entropy(corpus: Corpus) -> Metric:
    """Entropy of the token frequencies, in bits."""
    counts = _frequencies(corpus)
    return MEASURES["unigram_entropy"].metric(_entropy(counts), counts.total())


def _frequencies(corpus: Corpus) -> Counter[int]:
    return Counter(token for row in corpus.tokens for token in row)


def _entropy(counts: Counter[int]) -> float:
    total = counts.total()
    shares = (count / total for count in counts.values() if count)
    return abs(math.fsum(-share * math.log2(share) for share in shares))


def unigram_js(corpus: Corpus, human: Corpus) -> Metric:
    """Divergence of the token frequencies of two corpora, in bits.

    JS(p, q) = H((p + q) / 2) - (H(p) + H(q)) / 2. A small sample looks further away
    than a large one: compare corpora of the same size.
    """
    ours, theirs = _frequencies(corpus), _frequencies(human)
    a, b = ours.total(), theirs.total()
    both = Counter({t: ours[t] * b + theirs[t] * a for t in ours | theirs})
    between = _entropy(both) - (_entropy(ours) + _entropy(theirs)) / 2
    return MEASURES["unigram_js"].metric(max(between, 0.0), ours.total())


def duplicate_rate(texts: Sequence[str]) -> Metric:
    """The share of texts that an earlier one repeats."""
    repeated = len(texts) - len(set(texts))
    return MEASURES["duplicate_rate"].metric(_ratio(repeated, len(texts)), len(texts))


def compression_ratio(corpus: Corpus) -> Metric:
    """How many times smaller gzip makes the texts: higher is more repetitive."""
    data = "\n".join(corpus.texts).encode()
    packed = gzip.compress(data, compresslevel=9, mtime=0)
    return MEASURES["compression_ratio"].metric(len(data) / len(packed), len(data))


def tail_coverage(texts: Iterable[str], human: Iterable[str]) -> Metric:
    """The share of the human data's rare words that `texts` still have."""
    rare = {word for word, count in Counter(words(human)).items() if count <= _RARE}
    found = len(rare.intersection(words(texts)))
    return MEASURES["tail_coverage"].metric(_ratio(found, len(rare)), len(rare))


def words(texts: Iterable[str]) -> Iterator[str]:
    """The words of `texts`, case-folded, in order."""
    return (word for text in texts for word in _WORD.findall(text.casefold()))


# The measures that a sample alone gives: what the diversity gate can compare.
OF_SAMPLE: dict[str, Callable[[Corpus], Metric]] = {
    "distinct_1": distinct_1,
    "distinct_2": distinct_2,
    "unigram_entropy": unigram_entropy,
    "compression_ratio": compression_ratio,
}


def measure_data(
    data: Corpus, human: Corpus, *, sample_size: int, seed: int
) -> dict[str, Metric]:
    """Measure what a model wrote, against the human training data.

    A measure that finds nothing to count (n is 0) is left out.

    Args:
        data: the kept records.
        human: the human training records, tokenised alike.
        sample_size: tokens in the sample that measures of diversity are taken on.
        seed: the loop's; it chooses the samples.
    """
    sample = data.sample(sample_size, seed)
    common = min(sample.size, human.size)
    divergence = unigram_js(sample.sample(common, seed), human.sample(common, seed))
    measured = {name: measure(sample) for name, measure in OF_SAMPLE.items()}
    measured["unigram_js"] = divergence
    measured["duplicate_rate"] = duplicate_rate(data.texts)
    measured["tail_coverage"] = tail_coverage(data.texts, human.texts)
    return {name: metric for name, metric in measured.items() if metric.n}


def measure_model(
    losses: Sequence[float], tokens: Sequence[int], sizes: Sequence[int]
) -> dict[str, Metric]:
    """Measure a model on the held-out records.

    Args:
        losses: per record, the summed negative log-likelihood in nats.
        tokens: per record, how many tokens were predicted.
        sizes: per record, the UTF-8 bytes of the predicted text.

    Raises:
        LineageError: there is nothing to predict, or training diverged.
    """
    if not sum(tokens) or not sum(sizes):
        raise LineageError("the held-out records have no token to predict")
    nats, per_byte = _mean(losses, tokens), _mean(losses, sizes)
    if not nats[2] < _LARGEST_LOSS:  # NaN is not
        message = f"the held-out loss is {nats[0]:.4g}: training has diverged"
        raise LineageError(message, hint="try a smaller training.learning_rate")
    perplexity, *around = map(math.exp, nats)
    bits, *between = (value / math.log(2) for value in per_byte)
    known = len(losses) > 1  # one record says nothing of its spread
    return {
        "perplexity": MEASURES["perplexity"].metric(
            perplexity, sum(tokens), around if known else None
        ),
        "perplexity_p95": _tail(losses, tokens),
        "bits_per_byte": MEASURES["bits_per_byte"].metric(
            bits, sum(sizes), between if known else None
        ),
    }


def _tail(losses: Sequence[float], tokens: Sequence[int]) -> Metric:
    """The 95th percentile of the records' perplexities, where each has a token.

    The ends of its interval are the order statistics of the ranks
    n p -+ 1.96 sqrt(n p (1 - p)), rounded up.
    """
    pairs = [(loss, count) for loss, count in zip(losses, tokens, strict=True) if count]
    nats = sorted(min(loss / count, _LARGEST_LOSS) for loss, count in pairs)
    ordered, n = list(map(math.exp, nats)), len(nats)
    off = NORMAL_95 * math.sqrt(n * _TAIL * (1 - _TAIL))
    low, at, high = (math.ceil(n * _TAIL + sign * off) for sign in (-1, 0, 1))
    interval = [ordered[low - 1], ordered[high - 1]] if 1 <= low < high <= n else None
    return MEASURES["perplexity_p95"].metric(ordered[at - 1], n, interval)


def _mean(
    totals: Sequence[float], weights: Sequence[int]
) -> tuple[float, float, float]:
    """sum(totals) / sum(weights), and the ends of its 95 % interval.

    The standard error of a ratio estimator (Cochran 1977, Sampling Techniques,
    section 6.4): sqrt(k / (k - 1) * sum((total - mean * weight)^2)) / sum(weights).
    """
    whole, count = sum(weights), len(weights)
    mean = math.fsum(totals) / whole
    pairs = zip(totals, weights, strict=True)
    squares = math.fsum((total - mean * weight) ** 2 for total, weight in pairs)
    error = math.sqrt(squares * count / max(count - 1, 1)) / whole
    return mean, mean - NORMAL_95 * error, mean + NORMAL_95 * error


def measure_counts(generated: int, rejected: int) -> dict[str, Metric]:
    """How many records were generated, rejected and kept."""
    counts = {
        "generated": generated,
        "rejected": rejected,
        "kept": generated - rejected,
    }
    return {name: MEASURES[name].metric(n, generated) for name, n in counts.items()}
