"""What happens to a signal, in the order in which it happens: intake, assess, the two tracks, approvals; run by the runner."""
