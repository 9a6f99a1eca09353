"""Stand-ins for Pulumi's provider plugins, for the real engine to talk to.

Those of EKS and Docker only remember what was asked of them, for tests, and so does that of AWS but for the services in
``doubles.aws_live``. ``random`` really draws.
"""
