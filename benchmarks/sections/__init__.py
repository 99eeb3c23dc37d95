"""What is measured; each module answers `run(effort)` with what goes into its file of results."""
