"""OpenLineage: what is recorded here as run events, and run events as commits.

`outgoing` says a commit in OpenLineage's words, `sending` sends what was recorded to
where the settings say, beside whoever recorded it. `incoming` records what others send.
Only facets of the specification are used.
"""
