"""Proof that the simulators of tests/crm_sim are faithful: clients of other people, in an environment of their own, read
them and fail on them as they do on the vendors' servers. `make test-crm-faithful` runs it with unittest; nothing of this
project's own clients is imported.
"""
