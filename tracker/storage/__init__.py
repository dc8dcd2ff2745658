"""State in the visitor's browser: cookies, local storage, memory, and who may use which."""
