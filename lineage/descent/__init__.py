"""What commits are made of, and what they reached.

`roles` says what comes along which edge; `shares` counts, exactly, what the records
of a commit are made of; `distances` how many machine turns lie between; `trace` puts
it together for one commit.
"""
