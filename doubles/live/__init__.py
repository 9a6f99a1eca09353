"""The kubernetes provider on a real API server: a substitute for the plugin where that cannot be had.

Behaves as pulumi-kubernetes v4 with server-side apply: its diffs, waits, annotations and field managers. Not made here:
Helm, Kustomize and YAML resources, patch resources, and the invokes behind them; asking for one says so.
"""
