# Who decides about an action: `decision` is the first line of the chain that applies.
# Below the chain stand the rules, one sentence each, then the shapes of a decision.
package kubernaut.approval

import data.kubernaut.request
import data.kubernaut.safety
import data.settings

decision := unreadable if {
	count(request.problems) > 0
} else := denied(rule, safety.forbidden[rule]) if {
	rule := min(object.keys(safety.forbidden))
} else := denied("confidence_too_low", "The cause is too uncertain to act on: look at the findings.") if {
	input.analysis.confidence < settings.confidence.never_below
} else := through_git("gitops_managed", "Git owns this production object: change it by pull request, a senior reviews.", "senior") if {
	gitops_managed
	request.production
} else := through_git("gitops_managed", "Git owns this object: change it by pull request.", "person") if {
	gitops_managed
} else := through_git("pull_request", "This is a proposal in Git: whoever reviews the pull request decides.", "person") if {
	input.track == "gitops"
} else := senior("production_declarative", "This edits a production object directly: a senior decides.") if {
	production_declarative
} else := senior("high_risk_in_production", "High risk in production: a senior decides.") if {
	high_risk
	request.production
} else := person("high_risk_nonproduction", "High risk: a person decides.") if {
	high_risk
} else := person("medium_risk_in_production", "Medium risk in production: a person decides.") if {
	medium_risk_in_production
} else := person("declarative_in_staging", "This edits a staging object directly: a person decides.") if {
	declarative_in_staging
} else := senior("freeze", "A change freeze is in force: a senior decides.") if {
	safety.concerns.freeze
} else := person(rule, safety.concerns[rule]) if {
	rule := min(object.keys(safety.concerns))
} else := person("confidence_needs_person", "The cause is likely but not certain: a person decides.") if {
	input.analysis.confidence <= settings.confidence.alone_above
} else := alone("low_risk", "Low risk: it runs alone.") if {
	low_risk
} else := alone("medium_risk_nonproduction", "Medium risk outside production: it runs alone.") if {
	medium_risk_nonproduction
} else := alone("declarative_nonproduction", "Development and test may be edited directly; Git follows.") if {
	declarative_nonproduction
}

gitops_managed if {
	input.action.kind == "declarative"
	input.target.gitops_managed
}

production_declarative if {
	input.action.kind == "declarative"
	request.production
}

high_risk if input.action.risk == "high"

medium_risk_in_production if {
	input.action.kind == "imperative"
	input.action.risk == "medium"
	request.production
}

declarative_in_staging if {
	input.action.kind == "declarative"
	input.environment == "staging"
}

low_risk if {
	input.action.kind == "imperative"
	input.action.risk == "low"
}

medium_risk_nonproduction if {
	input.action.kind == "imperative"
	input.action.risk == "medium"
	input.environment in {"development", "test", "staging"}
}

declarative_nonproduction if {
	input.action.kind == "declarative"
	input.environment in {"development", "test"}
}

alone(rule, reason) := {
	"approval_type": "rego-auto-approved",
	"auto_approve": true,
	"require_approval": false,
	"deny": false,
	"reason": reason,
	"rule": rule,
	"min_approvers": 0,
	"approver_groups": [],
	"violations": safety.violations,
	"four_eyes": false,
}

denied(rule, reason) := {
	"approval_type": "denied",
	"auto_approve": false,
	"require_approval": false,
	"deny": true,
	"reason": reason,
	"rule": rule,
	"min_approvers": 0,
	"approver_groups": [],
	"violations": safety.violations,
	"four_eyes": false,
}

person(rule, reason) := asked("manual-approval-required", rule, reason, "person")

senior(rule, reason) := asked("senior-approval-required", rule, reason, "senior")

through_git(rule, reason, who) := asked("git-pr-required", rule, reason, who)

# In production nobody approves what they asked for themselves.
asked(approval_type, rule, reason, who) := {
	"approval_type": approval_type,
	"auto_approve": false,
	"require_approval": true,
	"deny": false,
	"reason": reason,
	"rule": rule,
	"min_approvers": settings.approvers[who].min_approvers,
	"approver_groups": settings.approvers[who].groups,
	"violations": safety.violations,
	"four_eyes": four_eyes,
}

default four_eyes := false

four_eyes if request.production

# Nothing of the input is trusted here, not even for the wording, and no setting is needed.
unreadable := {
	"approval_type": "manual-approval-required",
	"auto_approve": false,
	"require_approval": true,
	"deny": false,
	"reason": sprintf("The request is incomplete (%s): a person decides.", [concat(", ", sort(request.problems))]),
	"rule": "incomplete_request",
	"min_approvers": 1,
	"approver_groups": ["approver"],
	"violations": [],
	"four_eyes": true,
}
