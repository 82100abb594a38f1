"""Running a loop: its turns, their steps and parts, and what an earlier run left.

Open `runner` first.
"""
