"""Turns the ETL jobs of a monorepo into Airflow DAGs."""
