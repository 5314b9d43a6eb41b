"""Category schemes: the facts to extract, and the rule table that turns them into a category in code."""
