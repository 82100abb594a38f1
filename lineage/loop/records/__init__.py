"""The records of a loop: read, cut, held out, drawn, selected and mixed."""
