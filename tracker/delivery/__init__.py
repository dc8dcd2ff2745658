"""How events leave: the out-queue, the sender and one module for each protocol."""
