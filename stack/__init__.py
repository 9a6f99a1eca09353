"""A stack in one command: what ``make up``, ``preview``, ``down``, ``status``, ``logs`` and ``update-image`` run.

Wraps Pulumi and Kubernetes for those who do not know them, and says what it runs.
"""
