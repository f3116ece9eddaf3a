# What data.json, with the overrides of the configuration, must hold. A limit that is missing or no number would never
# be exceeded, so a policy set with a problem here is refused before it decides anything.
package kubernaut.settings

import data.settings

problems[name] := wanted[name] if {
	some name in (object.keys(wanted) - sound)
}

# A setting in a wrong spelling would change nothing and tell nobody.
problems[name] := "is no setting" if {
	some name in (object.keys(settings) - object.keys(known))
}

problems[name] := "is no setting" if {
	some group, keys in known
	count(keys) > 0
	is_object(settings[group])
	some key in (object.keys(settings[group]) - keys)
	name := concat(".", [group, key])
}

known := {
	"confidence": {"never_below", "alone_above"},
	"blast_radius": {"default", "by_action"},
	"changes_per_owner_per_hour": set(),
	"drains_per_pool": set(),
	"percent_of_pool_out": set(),
	"protected_namespaces": set(),
	"approvers": {"person", "senior"},
	"environment": {"labels", "aliases"},
}

wanted["confidence"] := "must hold never_below and alone_above, 0 <= never_below <= alone_above <= 1"

wanted["blast_radius.by_action"] := "must be an object with an entry for each action that differs from the default"

wanted["protected_namespaces"] := "must be a list of names"

wanted["environment.labels"] := "must be a list of label keys"

wanted["environment.aliases"] := "must give production, staging, test or development for each alias in small letters"

wanted[name] := "must hold groups, a list of names, and min_approvers, a whole number from 1 to 20" if {
	some name in {"approvers.person", "approvers.senior"}
}

wanted[name] := "must be a whole number from 0 to 1000000" if {
	some name in {"changes_per_owner_per_hour", "drains_per_pool", "percent_of_pool_out"}
}

wanted[name] := "must be a whole number from 0 to 1000000" if {
	some measure in measures
	name := concat(".", ["blast_radius.default", measure])
}

wanted[name] := "must be a whole number from 0 to 1000000" if {
	some action, _ in settings.blast_radius.by_action
	some measure in measures
	name := concat(".", ["blast_radius.by_action", action, measure])
}

measures := {"pods", "percent_of_workload", "nodes", "workloads"}

sound contains "confidence" if {
	is_number(settings.confidence.never_below)
	is_number(settings.confidence.alone_above)
	settings.confidence.never_below >= 0
	settings.confidence.alone_above >= settings.confidence.never_below
	settings.confidence.alone_above <= 1
}

sound contains "blast_radius.by_action" if is_object(settings.blast_radius.by_action)

sound contains concat(".", ["blast_radius.default", measure]) if {
	some measure in measures
	amount(settings.blast_radius["default"][measure])
}

sound contains concat(".", ["blast_radius.by_action", action, measure]) if {
	some action, limits in settings.blast_radius.by_action
	some measure in measures
	amount(limits[measure])
}

sound contains name if {
	some name in {"changes_per_owner_per_hour", "drains_per_pool", "percent_of_pool_out"}
	amount(settings[name])
}

sound contains "protected_namespaces" if texts(settings.protected_namespaces)

sound contains concat(".", ["approvers", who]) if {
	some who in {"person", "senior"}
	texts(settings.approvers[who].groups)
	settings.approvers[who].min_approvers in numbers.range(1, 20)
}

sound contains "environment.labels" if texts(settings.environment.labels)

sound contains "environment.aliases" if {
	is_object(settings.environment.aliases)
	every alias, class in settings.environment.aliases {
		alias == lower(alias)
		class in {"production", "staging", "test", "development"}
	}
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
