"""Where the certificates are that those of RDS are checked against: in the image, so that every pod has them."""

RDS_CERTIFICATES = "/opt/airflow/certificates/rds.pem"
"""File in the image."""

RDS_CERTIFICATES_URL = "https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem"
"""What a build fetches it from. Source: Amazon RDS user guide, "Using SSL/TLS to encrypt a connection to a DB instance"."""

PUBLIC_CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
"""File in the image with the roots that everybody trusts, as Debian's package ca-certificates, which the official image has,
keeps them. A proxy shows a certificate of Amazon Trust Services, whose roots are among them, and not one of RDS's own.

Source: Amazon RDS user guide, "Using TLS/SSL with RDS Proxy".
"""
