# The class of an environment, told by the labels of the namespace and of the cluster.
# No label, a value that nobody declared, or two labels that disagree: "unknown", which counts as production.
package kubernaut.environment

import data.settings

default environment := "unknown"

environment := class if {
	count(told) == 1
	some class in told
	class != "unknown"
}

told contains meaning(value) if {
	some key in settings.environment.labels
	some labels in [input.namespace_labels, input.cluster_labels]
	value := labels[key]
}

# Label values are ASCII; lower() of other letters differs between engines, so such a value is not an alias of anything.
meaning(value) := settings.environment.aliases[lower(value)] if known(value)

meaning(value) := "unknown" if not known(value)

known(value) if {
	is_string(value)
	regex.match(`^[A-Za-z0-9._-]+$`, value)
	settings.environment.aliases[lower(value)]
}
