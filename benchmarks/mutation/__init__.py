"""Mutation runs: small faults are planted into the rules, one at a time; does a test notice?"""
