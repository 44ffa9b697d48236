"""The methods that people register themselves, one module each."""
