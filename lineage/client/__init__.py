"""A registry that lies behind a server, used as one that lies here.

`connecting.connect` gives a `remote.Remote`: a `Registry` over a `mirror` of the
server's history, which is followed by git's own protocol and verified as it comes.
Bytes are fetched by content address when somebody needs them, and what is written goes
to the server, which appends it. `http` is the one door to the network.
"""
