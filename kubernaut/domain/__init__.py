"""What things are and every legal transition: frozen values and pure functions, no I/O, no clock."""
