"""What others write: an event made elsewhere is checked and appended here.

`sent` reads what came, `rules` says who may send which events and what they may move,
`bytes_here` finds the files that new commits name, `funnel` does it all under the lock.
Nothing that came is believed: commits are made once more from their manifests, names
move only from where they are, and an unsigned event is given the sender's identity.
"""
