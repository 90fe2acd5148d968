"""Object stores: a local folder, Google Cloud Storage, memory."""
