"""The loop: generate, check, mix, train, evaluate, and commit each result.

`spec` reads `loop.yaml`; `data`, `shards` and `mixing` say what a training set is
made of; `measures` and `gates` judge it; `steps` does the work and `runner` puts
it in order. Nothing here imports torch before a step needs it.
"""
