"""What the product costs, measured side by side with what people use today."""
