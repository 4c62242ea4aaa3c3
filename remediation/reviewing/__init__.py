"""What waits for a person: listing it, and writing down what the person decides."""
