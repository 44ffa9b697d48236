"""What gunicorn reads for the stock site: nothing, so that it does not find the product's own."""
