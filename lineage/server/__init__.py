"""The registry over HTTP: an API for programs, pages for people.

`app.create_app` makes the ASGI application of one registry. A route asks `access` who
is there and what they may, leases a registry from the `pool`, calls the same functions
as the command line does, and gives the shapes of `lineage.shapes`; `problems` is the
one place where an error becomes a status.
"""
