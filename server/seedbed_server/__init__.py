"""seedbed-server: the tensors, sampled and served."""
