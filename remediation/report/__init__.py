"""What people read of a night: the report, and why one customer was paid or not."""
