"""All result files on one page that needs nothing beside it."""
