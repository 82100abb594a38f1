"""What plain git and DVC find at a remote: tags with DVC's settings, and these alone.

``dvc get URL --rev lineage/v1`` clones the remote and needs, in one tree, the payload's
``.dvc`` file and the settings that say where the bytes are. So each tag is pushed as a
git tag on an *export commit*: the commit's tree and the settings of the day. It never
moves. A clone without such a branch of git's takes the settings from
`names.SETTINGS`.
"""

from lineage.registry import Registry
from lineage.store import dvc, names
from lineage.store.disk import disk_errors
from lineage.store.git_objects import AUTHOR, GitObject, TreeEntry, parse_tree, tree
from lineage.store.objects import Commit

FILES = (".dvc/config", ".dvcignore")


def exports(
    registry: Registry, tip: str, there: dict[str, str]
) -> dict[str, str | None]:
    """The git tags that are not `there` yet, those of deleted tags, the settings."""
    tags = registry.events_log.names("tags", at=tip)
    gone = registry.events_log.names("spent", at=tip)
    new = {name: oid for name, oid in tags.items() if _ref(name) not in there}
    deleted = {_ref(name): None for name in gone if _ref(name) in there}
    with disk_errors("making the tags"), registry.events_log.locked():
        settings = _settings(registry)
        made = {_ref(n): _export(registry, oid, settings) for n, oid in new.items()}
        own = _commit(registry, settings, [], "Settings of DVC\n")
    return {**made, **deleted, names.SETTINGS: own}


def _ref(tag: str) -> str:
    return names.TAGS + names.encode(tag)


def _settings(registry: Registry) -> dict[str, TreeEntry]:
    """The entries of a tree that holds DVC's settings as they are."""
    root = dvc.home(registry.git)
    found = {name: root / name for name in FILES if (root / name).is_file()}
    blobs = {n: GitObject("blob", path.read_bytes()) for n, path in found.items()}
    config = blobs.pop(FILES[0], GitObject("blob", b""))
    folder = tree({"config": TreeEntry("100644", config.oid)})
    registry.git.write([config, folder, *blobs.values()])
    entries = {name: TreeEntry("100644", blob.oid) for name, blob in blobs.items()}
    return {".dvc": TreeEntry("40000", folder.oid), **entries}


def _export(registry: Registry, oid: str, settings: dict[str, TreeEntry]) -> str:
    """The export commit of a commit."""
    own = parse_tree(registry.git.blob(f"{oid}^{{tree}}") or b"")
    commit = Commit.parse(registry.git.blob(f"{oid}:lineage.json") or b"")
    title = f"{commit.kind} {commit.name}\n\nLineage-Id: {commit.id}\n"
    return _commit(registry, {**own, **settings}, [oid], title)


def _commit(
    registry: Registry, entries: dict[str, TreeEntry], parents: list[str], text: str
) -> str:
    top = tree(entries)
    before = "".join(f"parent {oid}\n" for oid in parents)
    head = f"tree {top.oid}\n{before}author {AUTHOR}\ncommitter {AUTHOR}\n"
    made = GitObject("commit", f"{head}\n{text}".encode())
    registry.git.write([top, made])
    return made.oid
