"""What commits are made of, and what they reached.

`roles` says what comes along which edge. Upwards, `parcels` cuts a commit's records
into what came from where, `shares` sums that through every generation, `paths` counts
machine turns and finds how well each way is known, and `trace` puts it together.
Downwards, `dose` says how much of a commit is in each that came of it.
"""
