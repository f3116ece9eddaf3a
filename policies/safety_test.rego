package kubernaut.safety_test

import data.kubernaut.safety

request := {
	"action": {"name": "scale-deployment"},
	"target": {"namespace": "shop"},
	"track": "imperative",
	"blast_radius": {"pods": 30, "percent_of_workload": 50, "nodes": 1, "workloads": 5},
	"active": {"drains_in_pool": 1, "percent_of_pool_out": 50},
	"history": {"changes_last_hour_for_owner": 4},
	"freeze": false,
}

test_nothing_is_violated_on_the_limits if {
	violations := safety.violations with input as request
	violations == []
}

test_each_measure_of_the_blast_radius_has_its_limit if {
	every measure, excess in {"pods": 31, "percent_of_workload": 51, "nodes": 2, "workloads": 6} {
		concerns := safety.concerns with input as object.union(request, {"blast_radius": {measure: excess}})
		object.keys(concerns) == {concat("_", ["blast_radius", measure])}
	}
}

test_an_action_may_have_limits_of_its_own if {
	restart := object.union(request, {"action": {"name": "restart-deployment"}, "blast_radius": {"percent_of_workload": 100}})
	violations := safety.violations with input as restart
	violations == []
}

test_the_budget_is_used_up_by_the_fifth_change if {
	concerns := safety.concerns with input as object.union(request, {"history": {"changes_last_hour_for_owner": 5}})
	concerns.change_budget == "5 changes of this workload in the last hour use up its budget of 5."
}

test_only_drains_wait_for_drains if {
	forbidden := safety.forbidden with input as object.union(request, {"action": {"name": "drain-node"}})
	object.keys(forbidden) == {"drain_in_progress"}
}

test_violations_are_sentences_in_a_fixed_order if {
	violations := safety.violations with input as object.union(request, {
		"freeze": true,
		"target": {"namespace": "kube-system"},
		"blast_radius": {"pods": 31},
	})
	violations == [
		"A change freeze is in force.",
		"Namespace kube-system is protected: nothing in it is changed directly.",
		"pods: 31 touched at once, 30 allowed.",
	]
}
