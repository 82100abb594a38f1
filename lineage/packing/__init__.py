"""Packing what is cold, as git packs its objects, and making it plain files again.

`packer.pack` stores the files of commits that nobody works with as blocks, most of them
as what they differ from the files that the commits' edges lead to; `unpacking.unpack`
takes that back. No event says so: what a registry means does not change.
"""
