"""账册: who, how much, proof. Records do not know each other."""
