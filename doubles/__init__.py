"""Stand-ins for Pulumi's provider plugins, for the real engine to talk to.

Those of AWS, EKS and Docker only remember what was asked of them, for tests. ``random`` really draws.
"""
