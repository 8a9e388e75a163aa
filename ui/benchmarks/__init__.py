"""`shelfpoint bench`: each figure beside its floor, measured in the same run (DESIGN.md section 7)."""
