"""What is measured of data and models, what it means, and what chance does to it."""
