# What a request for a decision must contain. Rules compare values only after this package found them well formed:
# Rego orders values of all types (null, booleans, numbers, strings, lists, objects), so `"many" > 30` is true.
# The same order keeps the checks short: what lies between two numbers is a number, what lies between "" and [] a text.
package kubernaut.request

# An unknown environment may be production, so it is treated like it.
production := input.environment in {"production", "unknown"}

# One rule that ends at its first failing line, since it stands before every decision; `problems` names all of them.
well_formed if {
	input.action.name > ""
	input.action.name < []
	input.action.kind in {"imperative", "declarative"}
	input.action.risk in {"low", "medium", "high"}
	input.target.kind > ""
	input.target.kind < []
	input.target.namespace >= ""
	input.target.namespace < []
	input.target.name > ""
	input.target.name < []
	input.target.gitops_managed in {true, false}
	input.environment in {"production", "staging", "test", "development", "unknown"}
	input.analysis.confidence >= 0
	input.analysis.confidence <= 1
	input.track in {"imperative", "gitops"}
	input.requester > ""
	input.requester < []
	input.freeze in {true, false}
	every amount in [
		input.blast_radius.pods,
		input.blast_radius.percent_of_workload,
		input.blast_radius.nodes,
		input.blast_radius.workloads,
		input.active.drains_in_pool,
		input.history.changes_last_hour_for_owner,
	] {
		amount >= 0
		amount <= 1000000
		amount == floor(amount)
	}
}

problems contains "action.name" if not filled(input.action.name)

problems contains "action.kind" if not input.action.kind in {"imperative", "declarative"}

problems contains "action.risk" if not input.action.risk in {"low", "medium", "high"}

problems contains "target.kind" if not filled(input.target.kind)

# The namespace of a node is empty.
problems contains "target.namespace" if not is_string(input.target.namespace)

problems contains "target.name" if not filled(input.target.name)

problems contains "target.gitops_managed" if not is_boolean(input.target.gitops_managed)

problems contains "environment" if {
	not input.environment in {"production", "staging", "test", "development", "unknown"}
}

problems contains "analysis.confidence" if not share(input.analysis.confidence)

problems contains "track" if not input.track in {"imperative", "gitops"}

problems contains "requester" if not filled(input.requester)

problems contains "freeze" if not is_boolean(input.freeze)

problems contains "blast_radius.pods" if not amount(input.blast_radius.pods)

problems contains "blast_radius.percent_of_workload" if not amount(input.blast_radius.percent_of_workload)

problems contains "blast_radius.nodes" if not amount(input.blast_radius.nodes)

problems contains "blast_radius.workloads" if not amount(input.blast_radius.workloads)

problems contains "active.drains_in_pool" if not amount(input.active.drains_in_pool)

problems contains "history.changes_last_hour_for_owner" if not amount(input.history.changes_last_hour_for_owner)

filled(value) if {
	is_string(value)
	value != ""
}

share(value) if {
	is_number(value)
	value >= 0
	value <= 1
}

# The upper bound keeps numbers in the range that every engine represents exactly.
amount(value) if {
	is_number(value)
	value >= 0
	value <= 1000000
	value == floor(value)
}
