"""What happens in `lineage demo`, stop by stop: read `Story.run`."""

import contextlib
import shlex
import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from lineage.cli.demo.curves import drawn, summary
from lineage.cli.demo.screen import apart
from lineage.cli.demo.stage import Stage
from lineage.cli.terminal import Terminal
from lineage.cli.text import number, size

if TYPE_CHECKING:
    from lineage.loop.demo import Size

_GATE_FAILED = _PROBLEMS = 3
_NOTE = "the seller is a partner of ours, and we ship on Friday"
_REASON = "it has our exam in it: the held-out pages"
_SCRIPT_NEEDS = ("git", "nproc", "openssl", "sha256sum", "ssh-keygen", "unzip")


class Story(Stage):
    """The demo, from an empty folder to a registry that has been through something."""

    def __init__(self, terminal: Terminal, directory: Path, size: "Size") -> None:
        super().__init__(terminal, directory)
        self.size = size

    def run(self) -> None:
        begun = time.monotonic()
        folder = self.directory.absolute()
        self.welcome()
        with apart(self.terminal, folder / ".config"):
            self.prompt(shlex.join(["cd", str(self.directory)]))
            with contextlib.chdir(folder):
                self.registry()
                self.generation_0()
                self.two_loops()
                self.stopped()
                self.let_through()
                self.compared()
                self.recalled()
                self.taken_back()
                self.reported()
                self.verified()
                self.flipped()
        self.farewell(time.monotonic() - begun)

    def welcome(self) -> None:
        self.say(
            "A model writes data, its successor trains on them, and so on: a feedback "
            "loop. Here is one, run while you watch. It goes well, then it does not, "
            "and at the end everybody can see who knew what. Lines after a $ can be "
            "typed; where output is cut a line says so."
        )

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
            self.loops("seed.yaml", "seed-*.yaml")
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
            self.loops(*(f"{strategy}*.yaml" for strategy in STRATEGIES))
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
        self.type("loop run planted.yaml", expect=_GATE_FAILED)
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
        self.type("loop run override.yaml", expect=_GATE_FAILED, head=1)
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

    def compared(self) -> None:
        self.title("The good and the bad third generation, compared")
        self.say(
            "One command goes from the numbers down to the records and the weights."
        )
        self.type("diff loop/accumulate loop/override", head=25)
        self.say("And in full what the weights say:")
        self.type("diff loop/accumulate loop/override --only tensors --limit 4")
        better, _ = self.perplexities()
        self.say(
            "The data differ and nothing else does: a quarter of what the model "
            "learned is of unknown origin now. "
            + ("It is better at the exam because it has seen it." if better else "")
        )

    def recalled(self) -> None:
        import lineage
        from lineage.loop.demo import bought

        self.title("The recall: what did the bad data reach?")
        with lineage.open(".") as registry:
            bad = bought(registry, "loop/override")[:8]
        self.say(
            f"Ada says that {bad} is bad. It stays what it is; from now on everything "
            "that came from it says so, through every model on the way."
        )
        self.type(f"taint {bad} --reason '{_REASON}'")
        self.type(f"impact {bad}")
        self.say(
            "The model of generation 4 has seen them twice: the bought records, and "
            "what a model wrote that had learned from them. Where is it used?"
        )
        self.type("status --tainted", expect=_PROBLEMS)
        self.say(
            "Production, for one. Who let them in? It is written down, and signed."
        )
        self.type("review list --all")

    def taken_back(self) -> None:
        self.title("Production goes back")
        self.say(
            "One word takes back the newest move of a branch. Nothing is rewritten: "
            "the log has the move, and that it was undone."
        )
        self.type("undo")
        self.type("events --ref production")

    def reported(self) -> None:
        self.title("A report, for people who trust nobody")
        self.say(
            "A regulator asks about the model that was in production. What is recorded "
            "answers the questions of the EU AI Act; the rest is called a gap."
        )
        self.type("report loop/next --template eu-annex-iv -o report.html")
        self.say(f"To look at in a browser: {Path('report.html').absolute()}")

    def verified(self) -> None:
        from lineage.bundle import SCRIPT

        self.title("The same with its evidence, checked without us")
        self.say(
            "One file has the report, the whole log and the history. Who checks it "
            "needs a shell script and what any Linux has: no Python, no lineage. They "
            "have the list of keys from Ada, by another way."
        )
        self.type("report loop/next --format bundle -o report.zip")
        self.shell("lineage key list --format allowed-signers > signers")
        missing = [name for name in _SCRIPT_NEEDS if shutil.which(name) is None]
        if missing:
            self.say(f"There is no {missing[0]} here, so other code of ours checks it:")
            self.type("verify report.zip --signers signers")
            return
        shutil.copyfile(SCRIPT, "verify.sh")
        self.shell("sh verify.sh report.zip --signers signers")

    def flipped(self) -> None:
        import lineage
        from lineage.loop.demo import weights

        self.title("One flipped bit")
        with lineage.open(".") as registry:
            bad = weights(registry, "loop/accumulate^includes(model)")
        path = Path(".dvc/cache/files/md5", bad.md5[:2], bad.md5[2:])
        self.say(
            f"A disk goes bad under the weights of production ({size(bad.size)}). "
            "There is a backup from this morning."
        )
        self.shell("cp -R .dvc/cache backup")
        self.shell(f"python3 flip.py {path}")
        self.type("verify", expect=_PROBLEMS)
        self.type("verify --repair --from backup")

    def farewell(self, seconds: float) -> None:
        from lineage.cli.progress import duration

        self.title(f"Done in {duration(seconds)}. Now you")
        rows = {shlex.join(["cd", str(self.directory)]): ""}
        if shutil.which("lineage") is None:
            rows[f"PATH={shlex.quote(str(Path(sys.executable).parent))}:$PATH"] = ""
        rows |= {
            "lineage log --all": "every loop",
            "lineage show loop/planted@rejected": "why it was stopped",
            "lineage review list --all": "who let what through",
            "lineage trace loop/next": "what a model is made of",
            "lineage blame loop/accumulate 17": "who wrote a record",
            "lineage get 'loop/accumulate^includes(model)' model": "the bytes",
            "git log refs/lineage/events": "who did what: plain git",
            "cd .. && lineage init mine && cd mine": "a registry of your own",
            "lineage loop init --text FILE": "and a loop on your text",
        }
        margin = max(len(command) for command in rows if rows[command]) + 2
        for command, meaning in rows.items():
            typed = command.ljust(margin) if meaning else command
            line = [("  $ ", ""), (typed, "title"), (meaning, "dim")]
            self.write([self.terminal.paint(line)])


def _seeds(size: "Size") -> str:
    *first, last = map(str, size.seeds)
    seeds = f"seeds {', '.join(first)} and {last} were" if first else f"seed {last} was"
    return f"The {seeds} fixed beforehand."
