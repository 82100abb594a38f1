"""Work that lives elsewhere, observed: what it read, what it left, what it took.

`run.Run` is what `Registry.run` gives, `command` wraps a command in one. Read
`inputs` for what an edge's evidence means here.
"""
