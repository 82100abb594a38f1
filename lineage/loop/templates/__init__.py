"""What `lineage loop init` and `lineage demo` write; `lineage.loop.scaffold` fills in."""
