package kubernaut.settings_test

import data.kubernaut.settings

problems(changes) := names if {
	found := settings.problems with data.settings as object.union(data.settings, changes)
	names := object.keys(found)
}

test_the_shipped_settings_are_complete if problems({}) == set()

test_a_limit_of_another_type_is_a_problem if {
	problems({"blast_radius": {"default": {"pods": "many"}}}) == {"blast_radius.default.pods"}
	problems({"blast_radius": {"by_action": {"delete-pod": {"pods": null}}}}) == {"blast_radius.by_action.delete-pod.pods"}
	problems({"drains_per_pool": -1}) == {"drains_per_pool"}
	problems({"changes_per_owner_per_hour": 1.5}) == {"changes_per_owner_per_hour"}
}

test_an_action_with_limits_of_its_own_needs_all_of_them if {
	problems({"blast_radius": {"by_action": {"run-script": {"pods": 1, "nodes": 1, "workloads": 1}}}}) == {"blast_radius.by_action.run-script.percent_of_workload"}
}

test_thresholds_in_the_wrong_order_are_a_problem if {
	problems({"confidence": {"never_below": 0.95}}) == {"confidence"}
	problems({"confidence": {"alone_above": 1.5}}) == {"confidence"}
}

test_a_setting_in_a_wrong_spelling_is_a_problem if {
	problems({"drains_per_pol": 2}) == {"drains_per_pol"}
	problems({"confidence": {"alone": 0.99}}) == {"confidence.alone"}
}

test_somebody_must_be_asked if problems({"approvers": {"person": {"min_approvers": 0}}}) == {"approvers.person"}

test_a_class_that_does_not_exist_is_a_problem if {
	problems({"environment": {"aliases": {"blue": "turquoise"}}}) == {"environment.aliases"}
}

test_nothing_at_all_is_many_problems if {
	found := settings.problems with data.settings as {}
	count(found) == 14
}
