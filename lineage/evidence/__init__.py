"""What the bytes say of an edge: that it is so, that it is not, or neither."""

from lineage.evidence.grades import GRADES, grade

__all__ = ["GRADES", "grade"]
