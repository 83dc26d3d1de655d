"""What makes a site of docs/: a hook of MkDocs and an extension of Griffe."""
