"""A corpus that is not ours: files as other projects' programs write them, made here by hand or by those programs."""
