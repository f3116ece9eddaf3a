# What a request for a decision must contain. Rules may compare values only after this package found no problem:
# Rego orders values of different types, so `"many" > 30` is true and `null < 0.7` is true as well.
package kubernaut.request

import data.settings

environments := {"production", "staging", "test", "development", "unknown"}

# An unknown environment may be production, so it is treated like it.
production if input.environment in {"production", "unknown"}

problems contains "action.name" if not filled(input.action.name)

problems contains "action.kind" if not input.action.kind in {"imperative", "declarative"}

problems contains "action.risk" if not input.action.risk in {"low", "medium", "high"}

problems contains "target.gitops_managed" if not is_boolean(input.target.gitops_managed)

problems contains "target.kind" if not filled(input.target.kind)

problems contains "target.name" if not filled(input.target.name)

# Empty for an object without a namespace, a node for instance.
problems contains "target.namespace" if not is_string(input.target.namespace)

problems contains "environment" if not input.environment in environments

problems contains "analysis.confidence" if not share(input.analysis.confidence)

problems contains "track" if not input.track in {"imperative", "gitops"}

problems contains "blast_radius.pods" if not amount(input.blast_radius.pods)

problems contains "blast_radius.percent_of_workload" if not amount(input.blast_radius.percent_of_workload)

problems contains "blast_radius.nodes" if not amount(input.blast_radius.nodes)

problems contains "blast_radius.workloads" if not amount(input.blast_radius.workloads)

problems contains "requester" if not filled(input.requester)

problems contains "active.drains_in_pool" if not amount(input.active.drains_in_pool)

problems contains "history.changes_last_hour_for_owner" if not amount(input.history.changes_last_hour_for_owner)

problems contains "freeze" if not is_boolean(input.freeze)

# A limit that is missing would never be exceeded: the settings are part of the request.
problems contains "settings.confidence" if not confidence_thresholds

problems contains "settings.blast_radius" if not blast_radius_limits

problems contains "settings.changes_per_owner_per_hour" if not amount(settings.changes_per_owner_per_hour)

problems contains "settings.drains_per_pool" if not amount(settings.drains_per_pool)

problems contains "settings.protected_namespaces" if not is_array(settings.protected_namespaces)

confidence_thresholds if {
	share(settings.confidence.never_below)
	share(settings.confidence.alone_above)
	settings.confidence.never_below <= settings.confidence.alone_above
}

blast_radius_limits if {
	amount(settings.blast_radius["default"].pods)
	amount(settings.blast_radius["default"].percent_of_workload)
	amount(settings.blast_radius["default"].nodes)
	amount(settings.blast_radius["default"].workloads)
	is_object(settings.blast_radius.by_action)
}

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
