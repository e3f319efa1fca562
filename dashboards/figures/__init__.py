"""One file for each figure of the report: a function from runs to a piece of HTML."""
