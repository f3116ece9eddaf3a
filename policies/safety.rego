# Limits that hold whatever the risk of an action: what is forbidden nobody can approve, a concern needs a person.
package kubernaut.safety

import data.settings

# A quick look that stands before every decision. It may call a request unclear that violates nothing (the rules below
# are exact), never the other way round.
clearly_fine if {
	limits := settings
	not input.freeze
	not input.target.namespace in limits.protected_namespaces
	input.active.drains_in_pool < limits.drains_per_pool
	input.active.percent_of_pool_out <= limits.percent_of_pool_out
	input.history.changes_last_hour_for_owner < limits.changes_per_owner_per_hour
	radius := limits.blast_radius
	most := object.get(radius.by_action, input.action.name, radius["default"])
	input.blast_radius.pods <= most.pods
	input.blast_radius.percent_of_workload <= most.percent_of_workload
	input.blast_radius.nodes <= most.nodes
	input.blast_radius.workloads <= most.workloads
}

violations := [] if clearly_fine

violations := sort(texts) if not clearly_fine

texts := array.concat([text | some text in forbidden], [text | some text in concerns])

# A pull request in a protected namespace is only a proposal that people review, so it is not stopped here.
forbidden[rule] := text if {
	input.track == "imperative"
	input.target.namespace in settings.protected_namespaces
	rule := "protected_namespace"
	text := sprintf("Namespace %s is protected: nothing in it is changed directly.", [input.target.namespace])
}

forbidden[rule] := text if {
	input.action.name == "drain-node"
	input.active.drains_in_pool >= settings.drains_per_pool
	rule := "drain_in_progress"
	text := sprintf("%s of %s allowed drains already run in this node pool: wait until one has ended.", [
		format_int(input.active.drains_in_pool, 10),
		format_int(settings.drains_per_pool, 10),
	])
}

concerns[rule] := text if {
	input.freeze
	rule := "freeze"
	text := "A change freeze is in force."
}

concerns[rule] := text if {
	rule := "change_budget"
	input.history.changes_last_hour_for_owner >= settings.changes_per_owner_per_hour
	text := sprintf("%s changes of this workload in the last hour use up its budget of %s.", [
		format_int(input.history.changes_last_hour_for_owner, 10),
		format_int(settings.changes_per_owner_per_hour, 10),
	])
}

# Nodes that fail together are mostly one network or one monitoring that fails: who takes all of them out ends the service.
concerns[rule] := text if {
	rule := "healthy_floor"
	input.active.percent_of_pool_out > settings.percent_of_pool_out
	text := sprintf("%s%% of the node pool would be out of service, %s%% are allowed.", [
		format_int(input.active.percent_of_pool_out, 10),
		format_int(settings.percent_of_pool_out, 10),
	])
}

concerns[rule] := text if {
	most := object.get(settings.blast_radius.by_action, input.action.name, settings.blast_radius["default"])
	some measure, touched in input.blast_radius
	touched > most[measure]
	rule := concat("_", ["blast_radius", measure])
	text := sprintf("%s: %s touched at once, %s allowed.", [
		replace(measure, "_", " "),
		format_int(touched, 10),
		format_int(most[measure], 10),
	])
}
