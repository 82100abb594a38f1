"""Pages for people, made on the server.

A page is a function of a `Site`, which knows how pages link to each other, and of a
registry; it gives HTML. `routes` puts each at its address; the same functions write
the pages as files.
"""
