"""What a person looks at: reads run directories, computes nothing of its own.

`dashboards.report` makes one self-contained HTML page of one or more runs.
"""
