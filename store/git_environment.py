"""The environment that every git of ours is started in."""

import os

_SETTINGS = {"GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM"}


def environment() -> dict[str, str]:
    """The caller's environment without what would redirect git.

    It may say where the user's own settings are, who they are among them. Of settings
    that are given in it git hears which folders are trusted.
    """
    given = os.environ.items()
    kept = {k: v for k, v in given if not k.startswith("GIT_") or k in _SETTINGS}
    ours = {"GIT_NO_REPLACE_OBJECTS": "1", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
    return {**kept, **ours, **_trusted()}


def _trusted() -> dict[str, str]:
    """The caller's ``safe.directory``, given by ``GIT_CONFIG_KEY_0`` and on."""
    told: dict[str, str] = {}
    count = os.environ.get("GIT_CONFIG_COUNT", "")
    for number in range(int(count) if count.isdecimal() else 0):
        if os.environ.get(f"GIT_CONFIG_KEY_{number}", "").lower() == "safe.directory":
            place = len(told) // 2
            told[f"GIT_CONFIG_KEY_{place}"] = "safe.directory"
            told[f"GIT_CONFIG_VALUE_{place}"] = os.environ.get(
                f"GIT_CONFIG_VALUE_{number}", ""
            )
    return {**told, "GIT_CONFIG_COUNT": str(len(told) // 2)} if told else {}
