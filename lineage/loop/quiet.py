"""Silence, where libraries of models would talk to the terminal."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager


@contextmanager
def quiet() -> Iterator[None]:
    """Keep what transformers, torch and accelerate say from the terminal.

    They log, warn and draw bars, also when they are imported.
    """
    with ExitStack() as after, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        after.callback(logging.disable, logging.root.manager.disable)
        logging.disable(logging.CRITICAL)
        from transformers.utils import logging as theirs

        if theirs.is_progress_bar_enabled():
            after.callback(theirs.enable_progress_bar)
        theirs.disable_progress_bar()
        yield
