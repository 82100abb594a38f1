"""The measures by name: what each number means and where it comes from.

A number is only compared with one of the same definition and version. Whoever
changes what a measure computes gives it the next version.
"""

from dataclasses import dataclass
from typing import Literal

from lineage.store.objects import Metric


@dataclass(frozen=True, slots=True)
class Measure:
    """What a number means, and of what it is: of data or of a model.

    `direction` is which way is better, None: neither. `about` is what it tells of, None
    for counts.
    """

    id: str
    definition: str
    source: str
    direction: str | None
    unit: str
    version: int = 1
    on: Literal["dataset", "model"] = "dataset"
    about: Literal["quality", "diversity", "bias"] | None = None

    def metric(
        self, value: float, n: int, interval: list[float] | None = None
    ) -> Metric:
        """A value of this measure over `n` of what it counts."""
        return Metric(value, self.id, self.version, self.direction, n, interval)


MEASURES = {
    measure.id: measure
    for measure in (
        Measure(
            "perplexity",
            "exp of the mean negative log-likelihood (nats) of the predicted tokens of "
            "the held-out records; n: predicted tokens; interval: 95 %, normal "
            "approximation of the ratio over records",
            "Jelinek et al. 1977, J. Acoust. Soc. Am. 62:S63",
            "lower",
            "",
            on="model",
            about="quality",
        ),
        Measure(
            "perplexity_p95",
            "the 95th percentile (nearest rank) of the perplexities of single held-out "
            "records: how badly the model predicts what it predicts worst; n: records; "
            "interval: 95 %, between order statistics, where there are enough records",
            "after Shumailov et al. 2024, Nature 631:755, figure 1 (the tails); "
            "interval: Conover 1999, Practical Nonparametric Statistics, section 3.2",
            "lower",
            "",
            on="model",
            about="quality",
        ),
        Measure(
            "bits_per_byte",
            "negative log-likelihood of the held-out records in bits over the UTF-8 "
            "bytes of what was predicted, comparable across tokenizers; n: bytes; "
            "interval as for perplexity",
            "Gao et al. 2020, arXiv:2101.00027, section 3.1",
            "lower",
            "bits/byte",
            on="model",
            about="quality",
        ),
        Measure(
            "distinct_1",
            "distinct tokens over all tokens of the sample; n: tokens",
            "Li et al. 2016, arXiv:1510.03055",
            None,
            "",
            about="diversity",
        ),
        Measure(
            "distinct_2",
            "distinct pairs of neighbouring tokens over all such pairs of the sample, "
            "none across records; n: pairs",
            "Li et al. 2016, arXiv:1510.03055, over pairs where they divide by tokens",
            None,
            "",
            about="diversity",
        ),
        Measure(
            "unigram_entropy",
            "entropy of the sample's token frequencies, plug-in estimate; n: tokens",
            "Shannon 1948, Bell Syst. Tech. J. 27:379",
            None,
            "bits",
            about="diversity",
        ),
        Measure(
            "unigram_js",
            "Jensen-Shannon divergence of the token frequencies of the sample and of "
            "an equally large sample of the human training data; n: tokens of each",
            "Lin 1991, IEEE Trans. Inf. Theory 37:145",
            "lower",
            "bits",
            about="diversity",
        ),
        Measure(
            "duplicate_rate",
            "share of the records whose text an earlier record has as well; n: records",
            "Lee et al. 2022, arXiv:2107.06499, for whole records",
            "lower",
            "",
            about="diversity",
        ),
        Measure(
            "compression_ratio",
            "UTF-8 bytes of the sample's records, joined by line feeds, over their "
            "size after gzip -9; n: bytes",
            "Shaib et al. 2024, arXiv:2403.00553",
            None,
            "",
            about="diversity",
        ),
        Measure(
            "tail_coverage",
            "share of the words that the human training data have once or twice which "
            "the data have at all; words are case-folded runs of letters, digits and "
            "underscores; n: such rare words. Depends on how much is generated",
            "after Suresh et al. 2024, arXiv:2412.17646 (what is forgotten first)",
            "higher",
            "",
            about="diversity",
        ),
        Measure(
            "fabrication_rate",
            "share of the new records that make a claim which can be checked, whose "
            "claim is wrong; n: claims; interval: 95 %, Wilson",
            "Wilson 1927, J. Am. Stat. Assoc. 22:209",
            "lower",
            "",
            about="quality",
        ),
        Measure(
            "counterfactual_gap",
            "mean difference of the log-likelihoods of held-out texts about the first "
            "group of a lexicon and about the second, the groups' words swapped, over "
            "the words that differ; n: texts; interval: 95 %, normal approximation",
            "after Zhao et al. 2018, arXiv:1804.06876, and Lu et al., arXiv:1807.11714",
            None,
            "nats/word",
            on="model",
            about="bias",
        ),
        Measure(
            "preference_share",
            "share of the pairs whose stereotype has the higher likelihood, summed "
            "over all tokens; n: pairs; interval: 95 %, Wilson 1927",
            "Nangia et al. 2020, arXiv:2010.00133, for causal models",
            None,
            "",
            on="model",
            about="bias",
        ),
        Measure(
            "suite_pass_rate",
            "share of a suite's cases whose greedy answer is as expected; n: cases; "
            "interval: 95 %, Wilson 1927",
            "count",
            "higher",
            "",
            on="model",
            about="quality",
        ),
        Measure(
            "tpr_gap",
            "largest difference between groups of the share of positives found; "
            "n: held-out cases",
            "equal opportunity: Hardt et al. 2016, arXiv:1610.02413",
            "lower",
            "",
            on="model",
            about="bias",
        ),
        Measure(
            "demographic_parity_difference",
            "largest difference between groups of the share predicted positive; "
            "n: held-out cases. Shrinks when a minority loses its positives",
            "Dwork et al. 2012, ITCS 214; fairlearn",
            "lower",
            "",
            on="model",
            about="bias",
        ),
        Measure(
            "equalized_odds_difference",
            "the larger of the differences between groups of true-positive and of "
            "false-positive rates; n: held-out cases",
            "Hardt et al. 2016, arXiv:1610.02413; fairlearn",
            "lower",
            "",
            on="model",
            about="bias",
        ),
        Measure(
            "reward_mean",
            "mean reward of the records that the gates leave; n: records",
            "selection.by",
            "higher",
            "",
            about="quality",
        ),
        Measure(
            "reward_best",
            "mean over prompts of the best reward among a prompt's records; n: prompts",
            "best of n: Stiennon et al. 2020, arXiv:2009.01325",
            "higher",
            "",
            about="quality",
        ),
        Measure(
            "prompts_without_pair",
            "prompts whose answers are not far enough apart to prefer one; n: prompts",
            "count",
            None,
            "prompts",
        ),
        Measure(
            "selected",
            "records, or pairs of records, that selection hands on; n: records that "
            "the gates leave",
            "count",
            None,
            "records",
        ),
        Measure("generated", "records that the model wrote", "count", None, "records"),
        Measure("rejected", "records that a gate dropped", "count", "lower", "records"),
        Measure("kept", "generated records not rejected", "count", None, "records"),
    )
}


def direction_of(metric: Metric) -> str | None:
    """Which way is better: as the metric says or else as its definition does."""
    meant = MEASURES.get(metric.definition or "")
    if metric.direction or meant is None or metric.version != meant.version:
        return metric.direction
    return meant.direction
