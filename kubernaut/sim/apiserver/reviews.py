"""Reviews answer who somebody is and what they may do; they are never stored."""

from __future__ import annotations

from kubernaut.sim.apiserver.access import Attributes, Authenticator, Authorizer, User
from kubernaut.sim.apiserver.status import Json, bad_request

PLURALS = {
    "selfsubjectaccessreviews": "authorization.k8s.io",
    "selfsubjectrulesreviews": "authorization.k8s.io",
    "subjectaccessreviews": "authorization.k8s.io",
    "localsubjectaccessreviews": "authorization.k8s.io",
    "tokenreviews": "authentication.k8s.io",
    "selfsubjectreviews": "authentication.k8s.io",
}
_KINDS = {
    "selfsubjectaccessreviews": "SelfSubjectAccessReview",
    "selfsubjectrulesreviews": "SelfSubjectRulesReview",
    "subjectaccessreviews": "SubjectAccessReview",
    "localsubjectaccessreviews": "LocalSubjectAccessReview",
    "tokenreviews": "TokenReview",
    "selfsubjectreviews": "SelfSubjectReview",
}


def _user_info(user: User) -> Json:
    found: Json = {"username": user.name, "groups": list(user.all_groups)}
    return found | ({"uid": user.uid} if user.uid else {})


class Reviews:
    """Answers reviews from the same rules that requests meet."""

    def __init__(self, authenticator: Authenticator, authorizer: Authorizer) -> None:
        self._authenticator = authenticator
        self._authorizer = authorizer

    def answer(self, plural: str, namespace: str, body: Json, user: User) -> Json:
        """The review with its status filled in."""
        spec = body.get("spec") or {}
        group = PLURALS[plural]
        head: Json = {"kind": _KINDS[plural], "apiVersion": f"{group}/v1", "metadata": {"creationTimestamp": None}}
        if plural == "selfsubjectreviews":
            return head | {"status": {"userInfo": _user_info(user)}}
        head["spec"] = spec
        if plural == "tokenreviews":
            found = self._authenticator.user(str(spec.get("token", "")))
            if found is None:
                return head | {"status": {"user": {}, "error": "[invalid bearer token]"}}
            return head | {"status": {"authenticated": True, "user": _user_info(found)}}
        if plural == "selfsubjectrulesreviews":
            return head | {"status": self._rules(user, str(spec.get("namespace") or namespace))}
        if plural != "selfsubjectaccessreviews":
            user = User(str(spec.get("user", "")), tuple(spec.get("groups") or ()), str(spec.get("uid", "")))
        reason = self._authorizer.reason(user, _attributes(spec))
        status: Json = {"allowed": bool(reason)} | ({"reason": reason} if "RBAC" in reason else {})
        return head | {"status": status}

    def _rules(self, user: User, namespace: str) -> Json:
        rules = self._authorizer.rules(user, namespace)
        return {
            "resourceRules": [
                {key: rule[key] for key in ("verbs", "apiGroups", "resources", "resourceNames") if key in rule}
                for rule in rules
                if rule.get("resources")
            ],
            "nonResourceRules": [
                {key: rule[key] for key in ("verbs", "nonResourceURLs")}
                for rule in rules
                if rule.get("nonResourceURLs")
            ],
            "incomplete": False,
        }


def _attributes(spec: Json) -> Attributes:
    wanted, path = spec.get("resourceAttributes") or {}, spec.get("nonResourceAttributes") or {}
    if bool(wanted) == bool(path):
        raise bad_request("exactly one of nonResourceAttributes or resourceAttributes must be specified")
    if path:
        return Attributes(path.get("verb", ""), path=path.get("path", ""))
    return Attributes(
        wanted.get("verb", ""),
        wanted.get("group", ""),
        wanted.get("resource", ""),
        wanted.get("subresource", ""),
        wanted.get("namespace", ""),
        wanted.get("name", ""),
    )
