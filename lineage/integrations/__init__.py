"""Doors to other tools: import the module that is called after yours."""
