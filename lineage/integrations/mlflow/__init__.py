"""MLflow over a registry: its model registry, its artifacts, and an importer.

`store` is what MLflow calls (``registry_uri="lineage:///path"``), `artifacts` gives it
the bytes; `models` keeps what MLflow says as names and events, and knows nothing of
the library. `importing` records what an MLflow server knows. docs/mlflow.md says what
is what.
"""
