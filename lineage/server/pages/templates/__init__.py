"""What every page is made from; `lineage.server.pages.site` fills it in."""
