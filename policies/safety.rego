# Limits that hold whatever the risk of an action: what is forbidden nobody can approve, a concern needs a person.
package kubernaut.safety

import data.settings

violations := sort(array.concat([text | some text in forbidden], [text | some text in concerns]))

# A pull request in a protected namespace is only a proposal that people review, so it is not stopped here.
forbidden[rule] := text if {
	rule := "protected_namespace"
	input.target.namespace in settings.protected_namespaces
	input.track == "imperative"
	text := sprintf("Namespace %s is protected: nothing in it is changed directly.", [input.target.namespace])
}

forbidden[rule] := text if {
	rule := "drain_in_progress"
	input.action.name == "drain-node"
	input.active.drains_in_pool >= settings.drains_per_pool
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

concerns[rule] := text if {
	limits := object.get(settings.blast_radius.by_action, input.action.name, settings.blast_radius["default"])
	some measure, touched in input.blast_radius
	touched > limits[measure]
	rule := concat("_", ["blast_radius", measure])
	text := sprintf("%s: %s touched at once, %s allowed.", [
		replace(measure, "_", " "),
		format_int(touched, 10),
		format_int(limits[measure], 10),
	])
}
