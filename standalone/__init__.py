"""Airflow on this machine: what ``make try``, ``make stop``, ``make logs`` and ``make try-status`` run.

Owns the processes and their folder. What Airflow reads from its environment comes from ``components.airflow_environment``,
DAG files from the command line of ``dagsync``.
"""
