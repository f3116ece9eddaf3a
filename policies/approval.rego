# Who decides about an action: `decision` takes the first of these lines that applies.
# A line names the rule, gives the reason in one sentence, and says on what it depends.
# Rules of other packages are named in full: an import of a package makes regorus evaluate all of it, every time.
package kubernaut.approval

import data.settings

decision := incomplete if {
	not data.kubernaut.request.well_formed
} else := denied(rule, forbidden[rule]) if {
	not data.kubernaut.safety.clearly_fine
	forbidden := data.kubernaut.safety.forbidden
	rule := min(object.keys(forbidden))
} else := denied("confidence_too_low", "The cause is too uncertain to act on: look at the findings.") if {
	input.analysis.confidence < settings.confidence.never_below
} else := imperative if {
	input.action.kind == "imperative"
	input.track == "imperative"
} else := declarative

# A change freeze forbids nothing, because a failure does not wait for its end, but it lifts every decision to a senior: what
# would run alone, what a person would decide, and the merge of a pull request. A proposal in Git may be written during it.

# Imperative actions: what a person must see comes first, what is left runs alone.
imperative := senior("high_risk_in_production", "High risk in production: a senior decides.") if {
	input.action.risk == "high"
	data.kubernaut.request.production
} else := frozen if {
	frozen
} else := person("high_risk_nonproduction", "High risk: a person decides.") if {
	input.action.risk == "high"
} else := person("medium_risk_in_production", "Medium risk in production: a person decides.") if {
	input.action.risk == "medium"
	data.kubernaut.request.production
} else := gated if {
	gated
} else := alone("low_risk", "Low risk: it runs alone.") if {
	input.action.risk == "low"
} else := alone("medium_risk_nonproduction", "Medium risk outside production: it runs alone.") if {
	input.action.risk == "medium"
	input.environment in {"staging", "test", "development"}
}

# Declarative changes, and everything that is proposed in Git.
declarative := through_git("gitops_managed", "Git owns this production object: change it by pull request, a senior reviews.", "senior") if {
	input.target.gitops_managed
	data.kubernaut.request.production
} else := through_git("freeze", "A change freeze is in force: change it by pull request, a senior reviews.", "senior") if {
	input.freeze
	in_git
} else := through_git("gitops_managed", "Git owns this object: change it by pull request.", "person") if {
	input.target.gitops_managed
} else := through_git("pull_request", "A proposal in Git: whoever reviews the pull request decides.", "person") if {
	input.track == "gitops"
} else := senior("production_declarative", "This edits a production object directly: a senior decides.") if {
	data.kubernaut.request.production
} else := frozen if {
	frozen
} else := person("staging_declarative", "This edits a staging object directly: a person decides.") if {
	input.environment == "staging"
} else := person("high_risk_nonproduction", "High risk: a person decides.") if {
	input.action.risk == "high"
} else := gated if {
	gated
} else := alone("declarative_nonproduction", "Development and test may be edited directly, Git follows.") if {
	input.action.risk in {"low", "medium"}
	input.environment in {"test", "development"}
}

in_git if input.target.gitops_managed

in_git if input.track == "gitops"

frozen := senior("freeze", "A change freeze is in force: a senior decides.") if input.freeze

# What would run alone still waits for a person when a safety limit or a doubt about the cause says so.
gated := person(rule, reason) if {
	not data.kubernaut.safety.clearly_fine
	concerns := data.kubernaut.safety.concerns
	rule := min(object.keys(concerns))
	reason := concerns[rule] # in the head, regorus would take it for a choice among all of them
} else := person("confidence_needs_person", "The cause is likely but not certain: a person decides.") if {
	input.analysis.confidence <= settings.confidence.alone_above
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
	"violations": data.kubernaut.safety.violations,
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
	"violations": data.kubernaut.safety.violations,
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
	"violations": data.kubernaut.safety.violations,
	"four_eyes": data.kubernaut.request.production,
}

# Nothing of the request is trusted here, not even for the wording, and no setting is needed.
incomplete := {
	"approval_type": "manual-approval-required",
	"auto_approve": false,
	"require_approval": true,
	"deny": false,
	"reason": sprintf("The request is incomplete (%s): a person decides.", [concat("; ", sort(data.kubernaut.request.problems))]),
	"rule": "incomplete_request",
	"min_approvers": 1,
	"approver_groups": ["approver"],
	"violations": [],
	"four_eyes": true,
}
