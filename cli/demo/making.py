"""The first half of `lineage demo`: how the registry comes to be what it is."""

from pathlib import Path
from typing import TYPE_CHECKING

from lineage.cli.demo.curves import drawn, summary
from lineage.cli.demo.stage import Stage
from lineage.cli.terminal import Terminal
from lineage.wording import number

if TYPE_CHECKING:
    from lineage.loop.demo import Size

GATE_FAILED = 3
_NOTE = "the seller is a partner of ours, and we ship on Friday"


class Making(Stage):
    """Loops that go well, data that are bought, and somebody in a hurry."""

    def __init__(self, terminal: Terminal, directory: Path, size: "Size") -> None:
        super().__init__(terminal, directory)
        self.size = size

    def registry(self) -> None:
        self.title("A registry, and who signs")
        self.say(
            "Its history will be worth as much as its signatures. Ada has a key, and "
            "her loops have one of their own: no machine speaks in her name. Both stay "
            "in this folder; yours are not touched."
        )
        self.type("init")
        self.shell("git config user.name 'Ada Example'")
        self.shell("git config user.email ada@example.com")
        self.prompt('export XDG_CONFIG_HOME="$PWD/.config"')
        self.type("key generate --no-passphrase")
        self.type("key generate runner --role runner --no-passphrase")

    def generation_0(self) -> None:
        from lineage.loop.demo import LICENCE, SOURCE, write_files

        write_files(Path(), self.size)
        self.title("Generation 0: a model that learned from people")
        self.say(
            "python-docs.txt is Python's own documentation. A tenth of its pages is "
            "kept apart in held-out.txt: the exam, from which no model may learn."
        )
        if not self.size.fast:
            self.loops("seed.yaml", *["seed-*.yaml"] * (len(self.size.seeds) > 1))
            return
        self.say(
            "bigram.py is a model in a page of numpy: a table of which piece of text "
            "follows which. Any program is recorded like that, with what it read."
        )
        origin = f"--origin human --source '{SOURCE}' --licence {LICENCE}"
        self.type(f"commit dataset python-docs.txt --name python-docs {origin}")
        self.type(
            "run --use dataset/python-docs=python-docs.txt --output model/bigram=bigram"
            " -- python3 bigram.py python-docs.txt bigram"
        )
        self.type("loop run seed.yaml")

    def two_loops(self) -> None:
        from lineage.loop.demo import STRATEGIES, loop_name

        self.title("Two loops: one replaces its data, one keeps them all")
        self.say(
            f"{self.size.generations} generations each: a model writes "
            f"{self.size.records:,} records and the next one learns, from those alone "
            f"or from all that there have been. {_seeds(self.size)}"
        )
        for strategy in STRATEGIES:
            for seed in self.size.seeds:
                branch, start = (loop_name(w, seed) for w in (strategy, "seed"))
                self.type(f"branch loop/{branch} loop/{start}")
        if self.size.fast:
            self.type("loop run replace.yaml accumulate.yaml")
        else:
            # In two orders: data that the other loop had written are taken over.
            more = " replace-*.yaml" * (len(self.size.seeds) > 1)
            self.loops(f"replace.yaml{more}", "accumulate*.yaml")
        self.curves()
        self.say("The better one goes to customers: the branch production says so.")
        self.type("branch production loop/accumulate")

    def curves(self) -> None:
        import lineage
        from lineage.loop.demo import curves, human_distinct_2

        with lineage.open(".") as registry:
            found = curves(registry, self.size)
            human = human_distinct_2(registry, self.size)
        self.space()
        self.write(drawn(self.terminal, found))
        self.say(
            f"Human text has a distinct_2 of {number(human)} on as many tokens. "
            f"{summary(found)}"
        )

    def stopped(self) -> None:
        self.title("Somebody sells us data, and a gate stops them")
        self.say(
            "“Fresh, written by people”: bought.jsonl is to take the place of what the "
            "model writes in generation 3. Two gates look at whatever is to train."
        )
        self.type("branch loop/planted loop/accumulate~1")
        self.type("loop run planted.yaml", expect=GATE_FAILED)
        self.say(
            "The seller has copied the site, and our exam with it. What was stopped is "
            "kept with the reason, beside the branch, which stays where it was."
        )

    def let_through(self) -> None:
        self.title("In another branch a person lets them through")
        self.say(
            "Ada is in a hurry. She may overrule a gate, but not unseen: it takes a "
            "reason, and her key signs it."
        )
        self.type("branch loop/override loop/accumulate~1")
        self.type("loop run override.yaml", expect=GATE_FAILED, head=1)
        self.type(f"review approve loop/override@rejected --note '{_NOTE}'")
        self.type("loop run override.yaml")
        better, told = self.perplexities()
        self.say(
            f"{told} {'So the' if better else 'The'} next generation learns from what "
            "this model writes, and goes to customers."
        )
        self.type("branch loop/next loop/override")
        self.type("loop run next.yaml")
        self.type("branch --force production loop/next")
        self.say("What came from what: ✗ marks what a gate has failed.")
        self.type("log loop/next loop/planted@rejected -n 4")

    def perplexities(self) -> tuple[bool, str]:
        """Whether the model of the bought data is better than production, and how."""
        import lineage

        with lineage.open(".") as registry:
            tips = map(registry.resolve, ("loop/override", "loop/accumulate"))
            new, old = (registry.load(tip).metrics["perplexity"].value for tip in tips)
        return new < old, (
            f"Its perplexity is {number(new)}, that of production {number(old)}."
        )


def _seeds(size: "Size") -> str:
    *first, last = map(str, size.seeds)
    seeds = f"seeds {', '.join(first)} and {last} were" if first else f"seed {last} was"
    return f"The {seeds} fixed beforehand."
