"""The page of a report; `lineage.audit.as_html` fills it in."""
