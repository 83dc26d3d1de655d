"""How a start of many ranks scales past one machine: a calculation on measured figures."""
