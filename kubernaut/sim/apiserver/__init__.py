"""The simulated API server answers over HTTPS as kube-apiserver does, from memory.

It is never kinder than the genuine one: the contract suite (tests/contract) runs the same claims on both.
"""
