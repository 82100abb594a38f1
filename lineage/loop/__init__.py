"""The loop: generate, check, mix, train, evaluate, and commit each result.

Open `running.runner` first. `spec` reads `loop.yaml`; `records` say what training
sets are made of; `steps` do the work, on this machine or on many (`machines`);
`measuring` and `gates` judge what comes of it, and `reviews` what people say to it.
`scaffold` writes a first `loop.yaml` from `templates`. Nothing here imports torch
before a step needs it.
"""
