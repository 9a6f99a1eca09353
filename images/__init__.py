"""The images a cluster runs: Airflow with dagsync from ``image/Dockerfile``, and what it needs where no registry answers.

``python -m images --help`` teaches the commands; ``docs/image.md`` says where archives lie and how they are loaded.
"""
