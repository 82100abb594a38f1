"""Sharing a registry: remotes, push, fetch, pull, clone.

Events, commits and names travel by git, payloads by the DVC remote. What comes from a
remote is verified before anything here relies on it; two logs that went apart meet in
an event with two parents (see `store.merging` for the rules).
"""
