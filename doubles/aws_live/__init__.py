"""The aws provider on moto's server, for S3, Secrets Manager, IAM and ECR; the rest of AWS only remembers.

Behaves as pulumi-aws v7, whose ids, reads and deletes these are. A type of those services that no file here makes is refused,
and so is an input that would not be carried out.
"""
