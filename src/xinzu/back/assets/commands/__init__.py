"""Use cases of assets: the register, getting things to lessees, getting them back."""
