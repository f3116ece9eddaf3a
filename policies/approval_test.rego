package kubernaut.approval_test

import data.kubernaut.approval

restart := {
	"action": {"name": "restart-deployment", "risk": "low", "kind": "imperative", "reversible": false},
	"target": {
		"cluster": "prod-eu",
		"kind": "Deployment",
		"namespace": "shop",
		"name": "web",
		"gitops_managed": false,
		"labels": {},
	},
	"environment": "production",
	"severity": "critical",
	"priority": "P0",
	"analysis": {"failure_class": "OOMKilled", "confidence": 0.95},
	"track": "imperative",
	"blast_radius": {"pods": 3, "percent_of_workload": 34, "nodes": 0, "workloads": 1},
	"requester": "kubernaut",
	"active": {"drains_in_pool": 0, "percent_of_pool_out": 0},
	"history": {"changes_last_hour_for_owner": 0},
	"freeze": false,
	"now": "2026-01-01T12:00:00Z",
}

drain := object.union(restart, {
	"action": {"name": "drain-node", "risk": "medium", "reversible": true},
	"target": {"kind": "Node", "namespace": "", "name": "node-1"},
	"blast_radius": {"pods": 20, "nodes": 1, "workloads": 12},
})

edit := object.union(restart, {"action": {"name": "update-resources", "kind": "declarative", "reversible": true}})

changed(request, changes) := object.union(request, changes)

decide(request) := decision if {
	decision := approval.decision with input as request
}

test_low_risk_runs_alone_in_production if {
	decision := decide(restart)
	decision.auto_approve
	decision.approval_type == "rego-auto-approved"
	decision.rule == "low_risk"
	decision.min_approvers == 0
}

test_medium_risk_runs_alone_outside_production if {
	every environment in ["development", "test", "staging"] {
		decision := decide(changed(drain, {"environment": environment}))
		decision.auto_approve
		decision.rule == "medium_risk_nonproduction"
	}
}

test_medium_risk_needs_a_person_in_production_and_where_the_environment_is_unknown if {
	every environment in ["production", "unknown"] {
		decision := decide(changed(drain, {"environment": environment}))
		decision.require_approval
		decision.rule == "medium_risk_in_production"
		decision.min_approvers == 1
		decision.four_eyes
	}
}

test_high_risk_needs_a_senior_in_production if {
	decision := decide(changed(restart, {"action": {"risk": "high"}}))
	decision.approval_type == "senior-approval-required"
	decision.rule == "high_risk_in_production"
	decision.approver_groups == ["senior"]
}

test_high_risk_needs_a_person_elsewhere if {
	decision := decide(changed(restart, {"action": {"risk": "high"}, "environment": "test"}))
	decision.approval_type == "manual-approval-required"
	decision.rule == "high_risk_nonproduction"
	not decision.four_eyes
}

test_what_git_owns_is_changed_by_pull_request_whatever_its_risk_and_environment if {
	every environment in ["production", "staging", "test", "development", "unknown"] {
		every risk in ["low", "medium", "high"] {
			decision := decide(changed(edit, {
				"environment": environment,
				"action": {"risk": risk},
				"target": {"gitops_managed": true},
			}))
			decision.approval_type == "git-pr-required"
			decision.rule == "gitops_managed"
		}
	}
}

test_a_restart_of_what_git_owns_is_no_edit if {
	decision := decide(changed(restart, {"target": {"gitops_managed": true}}))
	decision.auto_approve
}

test_a_proposal_is_decided_by_its_reviewers if {
	decision := decide(changed(edit, {"track": "gitops", "environment": "staging"}))
	decision.approval_type == "git-pr-required"
	decision.rule == "pull_request"
}

test_an_edit_in_production_needs_a_senior if {
	every environment in ["production", "unknown"] {
		decision := decide(changed(edit, {"environment": environment}))
		decision.approval_type == "senior-approval-required"
		decision.rule == "production_declarative"
	}
}

test_an_edit_in_staging_needs_a_person if {
	decision := decide(changed(edit, {"environment": "staging"}))
	decision.rule == "staging_declarative"
	decision.require_approval
}

test_an_edit_in_development_runs_alone if {
	decision := decide(changed(edit, {"environment": "development"}))
	decision.rule == "declarative_nonproduction"
	decision.auto_approve
}

test_above_the_upper_threshold_it_runs_alone_and_on_it_a_person_is_asked if {
	decide(changed(restart, {"analysis": {"confidence": 0.9000001}})).auto_approve
	decision := decide(changed(restart, {"analysis": {"confidence": 0.9}}))
	decision.require_approval
	decision.rule == "confidence_needs_person"
}

test_on_the_lower_threshold_a_person_is_asked_and_below_nothing_is_done if {
	decide(changed(restart, {"analysis": {"confidence": 0.7}})).require_approval
	every request in [restart, drain, edit, changed(edit, {"track": "gitops"})] {
		decision := decide(changed(request, {"analysis": {"confidence": 0.6999999}}))
		decision.deny
		decision.approval_type == "denied"
		decision.rule == "confidence_too_low"
	}
}

test_thresholds_are_settings if {
	decision := approval.decision with input as restart
		with data.settings.confidence as {"never_below": 0.96, "alone_above": 0.99}
	decision.rule == "confidence_too_low"
}

test_a_freeze_needs_a_senior if {
	decision := decide(changed(restart, {"freeze": true}))
	decision.approval_type == "senior-approval-required"
	decision.rule == "freeze"
	decision.violations == ["A change freeze is in force."]
}

test_a_freeze_lifts_what_a_person_would_decide_to_a_senior if {
	every request in [
		drain,
		changed(drain, {"environment": "test"}),
		changed(restart, {"environment": "test", "action": {"risk": "high"}}),
		changed(restart, {"analysis": {"confidence": 0.8}}),
		changed(restart, {"blast_radius": {"pods": 101}}),
		changed(edit, {"environment": "staging"}),
		changed(edit, {"environment": "test"}),
	] {
		decision := decide(changed(request, {"freeze": true}))
		decision.approval_type == "senior-approval-required"
		decision.rule == "freeze"
		decision.approver_groups == ["senior"]
	}
}

test_a_freeze_lifts_a_merge_to_a_senior if {
	every request in [
		changed(edit, {"environment": "test", "target": {"gitops_managed": true}}),
		changed(edit, {"environment": "staging", "track": "gitops"}),
	] {
		decision := decide(changed(request, {"freeze": true}))
		decision.approval_type == "git-pr-required"
		decision.rule == "freeze"
		decision.approver_groups == ["senior"]
	}
}

test_a_freeze_keeps_the_name_of_what_a_senior_decides_anyway if {
	decide(changed(restart, {"freeze": true, "action": {"risk": "high"}})).rule == "high_risk_in_production"
	decide(changed(edit, {"freeze": true, "target": {"gitops_managed": true}})).rule == "gitops_managed"
	decide(changed(edit, {"freeze": true})).rule == "production_declarative"
}

test_a_limit_exceeded_needs_a_person if {
	decision := decide(changed(restart, {"blast_radius": {"pods": 101}}))
	decision.approval_type == "manual-approval-required"
	decision.rule == "blast_radius_pods"
	decision.violations == ["pods: 101 touched at once, 100 allowed."]
}

test_a_limit_exceeded_is_shown_to_whoever_decides_anyway if {
	decision := decide(changed(drain, {"blast_radius": {"nodes": 2}}))
	decision.rule == "medium_risk_in_production"
	decision.violations == ["nodes: 2 touched at once, 1 allowed."]
}

test_half_a_pool_may_go_alone_and_more_needs_a_person if {
	cordon := changed(restart, {"action": {"name": "cordon-node"}})
	half := decide(changed(cordon, {"active": {"percent_of_pool_out": 50}}))
	half.auto_approve
	more := decide(changed(cordon, {"active": {"percent_of_pool_out": 67}}))
	more.approval_type == "manual-approval-required"
	more.rule == "healthy_floor"
	more.reason == "67% of the node pool would be out of service, 50% are allowed."
}

test_a_second_drain_in_a_pool_is_denied if {
	decision := decide(changed(drain, {"active": {"drains_in_pool": 1}, "environment": "test"}))
	decision.deny
	decision.rule == "drain_in_progress"
}

test_protected_namespaces_are_left_alone_but_for_proposals if {
	system := {"target": {"namespace": "kube-system", "gitops_managed": true}}
	decision := decide(changed(restart, system))
	decision.deny
	decision.rule == "protected_namespace"
	decide(changed(changed(edit, {"track": "gitops"}), system)).approval_type == "git-pr-required"
}

test_what_is_forbidden_comes_before_everything_else if {
	decision := decide(changed(restart, {
		"target": {"namespace": "kube-system"},
		"analysis": {"confidence": 0.1},
		"freeze": true,
	}))
	decision.rule == "protected_namespace"
	count(decision.violations) == 2
}

test_an_incomplete_request_needs_a_person_and_names_what_is_missing if {
	every field in ["freeze", "requester", "environment", "track"] {
		decision := decide(object.remove(restart, [field]))
		decision.require_approval
		decision.rule == "incomplete_request"
		contains(decision.reason, field)
	}
}

test_values_of_another_type_are_no_values if {
	every changes in [
		{"analysis": {"confidence": "0.99"}},
		{"analysis": {"confidence": null}},
		{"blast_radius": {"pods": -1}},
		{"blast_radius": {"pods": 2.5}},
		{"freeze": "false"},
		{"environment": "Development"},
		{"action": {"risk": ["low"]}},
	] {
		decide(changed(restart, changes)).rule == "incomplete_request"
	}
}
