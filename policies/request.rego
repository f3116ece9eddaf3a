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
		input.active.percent_of_pool_out,
		input.history.changes_last_hour_for_owner,
	] {
		amount >= 0
		amount <= 1000000
		amount == floor(amount)
	}
}

# What is missing in `sound`: a negated check of a field is undefined, not true, when the field itself is.
problems := fields - sound

fields := {
	"action.name",
	"action.kind",
	"action.risk",
	"target.kind",
	"target.namespace",
	"target.name",
	"target.gitops_managed",
	"environment",
	"analysis.confidence",
	"track",
	"requester",
	"freeze",
	"blast_radius.pods",
	"blast_radius.percent_of_workload",
	"blast_radius.nodes",
	"blast_radius.workloads",
	"active.drains_in_pool",
	"active.percent_of_pool_out",
	"history.changes_last_hour_for_owner",
}

sound contains "action.name" if filled(input.action.name)

sound contains "action.kind" if input.action.kind in {"imperative", "declarative"}

sound contains "action.risk" if input.action.risk in {"low", "medium", "high"}

sound contains "target.kind" if filled(input.target.kind)

# The namespace of a node is empty.
sound contains "target.namespace" if is_string(input.target.namespace)

sound contains "target.name" if filled(input.target.name)

sound contains "target.gitops_managed" if is_boolean(input.target.gitops_managed)

sound contains "environment" if input.environment in {"production", "staging", "test", "development", "unknown"}

sound contains "analysis.confidence" if {
	is_number(input.analysis.confidence)
	input.analysis.confidence >= 0
	input.analysis.confidence <= 1
}

sound contains "track" if input.track in {"imperative", "gitops"}

sound contains "requester" if filled(input.requester)

sound contains "freeze" if is_boolean(input.freeze)

sound contains concat(".", ["blast_radius", measure]) if {
	some measure in {"pods", "percent_of_workload", "nodes", "workloads"}
	amount(input.blast_radius[measure])
}

sound contains concat(".", ["active", measure]) if {
	some measure in {"drains_in_pool", "percent_of_pool_out"}
	amount(input.active[measure])
}

sound contains "history.changes_last_hour_for_owner" if amount(input.history.changes_last_hour_for_owner)

filled(value) if {
	is_string(value)
	value != ""
}

# The upper bound keeps numbers in the range that every engine represents exactly.
amount(value) if {
	is_number(value)
	value >= 0
	value <= 1000000
	value == floor(value)
}
