"""A report as a CycloneDX 1.6 ML-BOM: a bill of what models are made of.

https://cyclonedx.org/docs/1.6/json. `document` puts it together: `components` are the
commits, `making` says how they were made, `claims` what was checked and by whom. It is
written by hand, as the official library has no classes for most of it; the tests hold
it to the official schema.
"""
