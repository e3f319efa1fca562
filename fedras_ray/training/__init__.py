"""What one turn of many clients computes."""
