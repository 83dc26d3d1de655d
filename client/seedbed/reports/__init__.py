"""What people look at: figures of tensors and models, as text, pictures and pages."""
