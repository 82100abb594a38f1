"""Packs: payload files kept as blocks, most of them as what they differ from another.

A *block* is up to 4 MiB of a file, known by the SHA-256 of its bytes; it is stored
plain or as the difference from a base block. A *pack* is a file of blocks and of tables
that say which files they make. store/FORMAT.md has every byte.
"""
