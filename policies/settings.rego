# What data.json, with the overrides of the configuration, must hold. A limit that is missing or no number would never
# be exceeded, so a policy set with a problem here is refused before it decides anything.
package kubernaut.settings

import data.settings

measures := {"pods", "percent_of_workload", "nodes", "workloads"}

problems contains "confidence: needs 0 <= never_below <= alone_above <= 1" if not thresholds

problems contains sprintf("blast_radius.default.%s: %s", [measure, whole]) if {
	some measure in measures
	not amount(settings.blast_radius["default"][measure])
}

problems contains "blast_radius.by_action: must be an object, an entry for each action" if {
	not is_object(settings.blast_radius.by_action)
}

problems contains sprintf("blast_radius.by_action.%s.%s: %s", [action, measure, whole]) if {
	some action, limits in settings.blast_radius.by_action
	some measure in measures
	not amount(limits[measure])
}

problems contains sprintf("%s: %s", [name, whole]) if {
	some name in {"changes_per_owner_per_hour", "drains_per_pool"}
	not amount(settings[name])
}

problems contains "protected_namespaces: must be a list of names" if not texts(settings.protected_namespaces)

problems contains sprintf("approvers.%s: needs groups, a list of names, and min_approvers, 1 to 20", [who]) if {
	some who in {"person", "senior"}
	not approvers(settings.approvers[who])
}

problems contains "environment.labels: must be a list of label keys" if not texts(settings.environment.labels)

problems contains "environment.aliases: must give a class of environment for each alias in small letters" if {
	not aliases(settings.environment.aliases)
}

whole := "must be a whole number from 0 to 1000000"

thresholds if {
	is_number(settings.confidence.never_below)
	is_number(settings.confidence.alone_above)
	settings.confidence.never_below >= 0
	settings.confidence.alone_above >= settings.confidence.never_below
	settings.confidence.alone_above <= 1
}

amount(value) if {
	is_number(value)
	value >= 0
	value <= 1000000
	value == floor(value)
}

texts(value) if {
	is_array(value)
	every text in value {
		is_string(text)
	}
}

approvers(value) if {
	texts(value.groups)
	is_number(value.min_approvers)
	value.min_approvers in numbers.range(1, 20)
}

aliases(value) if {
	is_object(value)
	every alias, class in value {
		alias == lower(alias)
		class in {"production", "staging", "test", "development"}
	}
}
