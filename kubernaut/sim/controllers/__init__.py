"""The simulated control plane's controllers: what kube-controller-manager and kube-scheduler would do."""
