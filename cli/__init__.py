"""The words: arguments, rendering, exit codes, environment."""
