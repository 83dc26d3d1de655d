"""What people look at: figures of tensors and models, as text and pictures."""
