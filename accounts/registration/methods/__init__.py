"""The methods people register themselves, one module each."""
