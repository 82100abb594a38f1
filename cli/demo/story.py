"""What happens in `lineage demo`, stop by stop: read `Story.run`."""

import contextlib
import shlex
import shutil
import sys
import time
from pathlib import Path

from lineage.cli.demo.making import Making
from lineage.cli.demo.screen import apart
from lineage.wording import size

_PROBLEMS = 3
_REASON = "it has our exam in it: the held-out pages"
_SCRIPT_NEEDS = ("git", "nproc", "openssl", "sha256sum", "ssh-keygen", "unzip")


class Story(Making):
    """The demo, from an empty folder to a registry that has been through something."""

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
