"""The records: SQL, the names of columns, and nothing else."""
