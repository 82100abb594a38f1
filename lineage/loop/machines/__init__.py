"""More than one machine: the shards of a step as tasks of a Ray cluster.

Read `launcher` first (what a launcher is, and the one that works here), then `task`
(what is sent to a node), `node` (what a node does with it) and `cluster` (Ray).
`torchrun` trains one model in several processes, with Ray or without.
"""
