"""Human review: what a person is shown, what they say, and what it is worth.

Read them in this order: `records` (what a model wrote, kept and dropped), `packet`
(what a reviewer is shown, by hash), `ballots` (when a verdict counts), `deciding`
(giving one), `labels` and `verifier` (right or wrong, and what that says of the
filter), `edits` (corrected records), `coverage` (how much was looked at). Events
hold all of it.
"""
