"""Speed, measured: each module measures one room against a baseline in the same run. `scripts/bench` runs them."""
