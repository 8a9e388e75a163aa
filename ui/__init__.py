"""What people see and touch, and the command line: the top floor."""
