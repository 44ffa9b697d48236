"""The product's own agents at work: what `writeback.agent` is to a customer's computer, in threads
of a worker, for all directories that it reaches itself. Jobs are taken and reported in the database
and not by calls; carrying one out is the same code."""
