"""A command line for what the benchmark asks of Oxen: PyPI has its library alone."""

import os
import sys
from importlib.metadata import version
from pathlib import Path

os.environ["HOME"] = str(Path.cwd() / ".oxen" / "home")  # before it looks for a user


def main(word: str) -> None:
    """One of init, add, restore and version, of the folder or file `data`."""
    if word == "version":
        print(version("oxenai"))
        return
    import oxen

    repository = oxen.Repo(".")
    if word == "init":
        repository.init()
        Path(os.environ["HOME"]).mkdir()
        oxen.user.config_user("bench", "bench@example.org")
    elif word == "add":
        repository.add("data")
        staged = repository.status()
        if staged.added_files() or staged.modified_files():
            repository.commit("data")
    elif word == "restore":
        repository.restore("data")


if __name__ == "__main__":
    main(sys.argv[1])
