# Limits that hold whatever the risk of an action: `forbidden` can't be approved by anyone, a `concern` needs a person.
package kubernaut.safety

import data.settings

violations := sort(forbidden_texts | concern_texts)

forbidden_texts := {text | some text in forbidden}

concern_texts := {text | some text in concerns}

# A pull request in a protected namespace is only a proposal that people review, so it is not stopped here.
forbidden.protected_namespace := text if {
	input.track == "imperative"
	input.target.namespace in settings.protected_namespaces
	text := sprintf("Namespace %s is protected: nothing in it is changed directly.", [input.target.namespace])
}

forbidden.drain_in_progress := text if {
	input.action.name == "drain-node"
	input.active.drains_in_pool >= settings.drains_per_pool
	text := sprintf("%s of %s allowed drains already run in this node pool: wait until one has ended.", [
		format_int(input.active.drains_in_pool, 10),
		format_int(settings.drains_per_pool, 10),
	])
}

concerns.freeze := "A change freeze is in force." if input.freeze

concerns.change_budget := text if {
	input.history.changes_last_hour_for_owner >= settings.changes_per_owner_per_hour
	text := sprintf("%s changes of this workload in the last hour use up its budget of %s.", [
		format_int(input.history.changes_last_hour_for_owner, 10),
		format_int(settings.changes_per_owner_per_hour, 10),
	])
}

concerns.blast_radius_pods := exceeded("pods") if input.blast_radius.pods > limit("pods")

concerns.blast_radius_nodes := exceeded("nodes") if input.blast_radius.nodes > limit("nodes")

concerns.blast_radius_workloads := exceeded("workloads") if input.blast_radius.workloads > limit("workloads")

concerns.blast_radius_percent := text if {
	input.blast_radius.percent_of_workload > limit("percent_of_workload")
	text := sprintf("%s %% of the workload is touched at once, %s %% is allowed.", [
		format_int(input.blast_radius.percent_of_workload, 10),
		format_int(limit("percent_of_workload"), 10),
	])
}

exceeded(measure) := sprintf("%s %s are touched at once, %s are allowed.", [
	format_int(input.blast_radius[measure], 10),
	measure,
	format_int(limit(measure), 10),
])

limit(measure) := object.get(
	object.get(settings.blast_radius.by_action, input.action.name, {}),
	measure,
	settings.blast_radius["default"][measure],
)
