"""Where the certificates are that an RDS instance's own is checked against: in the image, so that every pod has them."""

RDS_CERTIFICATES = "/opt/airflow/certificates/rds.pem"
"""File in the image."""

RDS_CERTIFICATES_URL = "https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem"
"""What a build fetches it from. Source: Amazon RDS user guide, "Using SSL/TLS to encrypt a connection to a DB instance"."""
