"""Objects at rest in packs: encoded blocks, in place of whole files."""
