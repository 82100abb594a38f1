"""What `loop init` and `demo` write; `lineage.loop.scaffold` fills it in."""
