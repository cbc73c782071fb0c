"""What is done to one process, from preflight to report: the managed migration and the eviction."""
