"""The style sheet, the script and the icon; `lineage.server.pages.assets` has them."""
