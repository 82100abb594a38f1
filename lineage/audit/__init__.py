"""Audit: what a commit is and how it came to be, for people who trust nobody.

Three layers, one direction. `facts` reads the registry; `report` turns facts into
the typed `model`, in which every value says whether it is recorded, stated or not
provided; one module per format (`as_html`, `as_json`) writes that down. Nothing is
inferred on the way, and the same registry state gives the same bytes.
"""
