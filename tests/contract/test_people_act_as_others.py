"""Impersonation, service accounts' tokens and what needs a process in a pod: never more than RBAC gives."""

import base64

from .raw import PODS, Cluster, Json, pod, unique

_WHOAMI = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
_REVIEW = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
_ACCOUNTS = "/api/v1/namespaces/{}/serviceaccounts"
_SECRETS = "/api/v1/namespaces/{}/secrets"


def as_(user: str, *groups: str) -> list[tuple[str, str]]:
    return [("Impersonate-User", user), *(("Impersonate-Group", group) for group in groups)]


async def test_acting_as_somebody_gives_their_rights_and_no_more(cluster: Cluster) -> None:
    assert (await cluster.get(_SECRETS)).code == 200
    refused = await cluster.get(_SECRETS, headers=as_("viewer"))
    assert (refused.code, refused.reason) == (403, "Forbidden")
    assert 'User "viewer" cannot list resource "secrets"' in refused.body["message"]
    assert (await cluster.get(PODS, headers=as_("viewer"))).code == 200
    wanted = {"spec": {"resourceAttributes": {"verb": "create", "resource": "pods", "namespace": cluster.namespace}}}
    assert (await cluster.post(_REVIEW, wanted)).body["status"]["allowed"]
    assert not (await cluster.post(_REVIEW, wanted, headers=as_("viewer"))).body["status"]["allowed"]


async def test_nobody_acts_as_others_without_the_right_to(cluster: Cluster) -> None:
    refused = await cluster.get(PODS, user="viewer", headers=as_("admin"))
    assert (refused.code, refused.reason) == (403, "Forbidden")
    assert refused.body["message"] == (
        'pods is forbidden: User "viewer" cannot impersonate-on:user-info:list resource "pods" in API group "" '
        f'in the namespace "{cluster.namespace}"'
    )
    assert (await cluster.get(PODS, user="viewer", headers=as_("viewer", "system:masters"))).code == 403
    for other in (f"system:serviceaccount:{cluster.namespace}:default", "system:node:n"):
        refused = await cluster.get(PODS, user="viewer", headers=as_(other))
        assert (refused.code, refused.reason) == (403, "Forbidden")
        assert 'User "viewer" cannot impersonate-on:' in refused.body["message"]
    assert (await cluster.get(PODS, headers=[("Impersonate-Group", "system:masters")])).code == 400


async def test_who_acts_as_another_is_the_other(cluster: Cluster) -> None:
    async def who(*headers: tuple[str, str]) -> Json:
        answer = await cluster.post(_WHOAMI, {}, headers=list(headers))
        assert answer.code == 201, answer.body
        found: Json = answer.body["status"]["userInfo"]
        return found

    found = await who(*as_("jo", "sre", "dev"))
    assert (found["username"], sorted(found["groups"])) == ("jo", ["dev", "sre", "system:authenticated"])
    account = f"system:serviceaccount:{cluster.namespace}:default"
    found = await who(*as_(account))
    assert found["username"] == account
    groups = {"system:serviceaccounts", f"system:serviceaccounts:{cluster.namespace}", "system:authenticated"}
    assert set(found["groups"]) == groups


async def test_a_process_in_a_pod_needs_its_own_right(cluster: Cluster) -> None:
    await cluster.made(PODS, pod("a"))
    for below in ("exec", "attach", "portforward"):
        for method in ("GET", "POST"):
            refused = await cluster.call(method, f"{PODS}/a/{below}", user="viewer")
            assert (refused.code, refused.reason) == (403, "Forbidden")
            assert f'resource "pods/{below}"' in refused.body["message"]
        assert (await cluster.post(f"{PODS}/a/{below}", None)).code >= 400
        assert (await cluster.post(f"{PODS}/nope/{below}", None)).code == 404


async def test_a_service_account_proves_itself_by_a_token_that_was_asked_for(cluster: Cluster) -> None:
    name = unique("robot")
    made = await cluster.made(_ACCOUNTS, {"metadata": {"name": name}})
    short = await cluster.post(f"{_ACCOUNTS}/{name}/token", {"spec": {"expirationSeconds": 599}})
    assert (short.code, short.reason) == (422, "Invalid")
    assert short.causes[0]["field"] == "spec.expirationSeconds"
    assert (await cluster.post(f"{_ACCOUNTS}/nope/token", {})).code == 404
    assert (await cluster.post(f"{_ACCOUNTS}/{name}/token", {}, user="viewer")).code == 403
    issued = await cluster.post(f"{_ACCOUNTS}/{name}/token", {})
    assert (issued.code, issued.body["kind"]) == (201, "TokenRequest")
    assert issued.body["spec"]["expirationSeconds"] == 3600
    token = issued.body["status"]["token"]
    who = await cluster.post(_WHOAMI, {}, user="", headers=[("Authorization", f"Bearer {token}")])
    info = who.body["status"]["userInfo"]
    assert info["username"] == f"system:serviceaccount:{cluster.namespace}:{name}"
    assert info["uid"] == made["metadata"]["uid"]
    refused = await cluster.get(PODS, user="", headers=[("Authorization", f"Bearer {token}")])
    assert refused.code == 403


async def test_a_token_secret_is_filled_and_goes_with_its_account(cluster: Cluster) -> None:
    name = unique("robot")
    kind = "kubernetes.io/service-account-token"
    body: Json = {"metadata": {"name": f"{name}-token"}, "type": kind}
    refused = await cluster.post(_SECRETS, body)
    assert (refused.code, refused.reason) == (422, "Invalid")
    await cluster.made(_ACCOUNTS, {"metadata": {"name": name}})
    body["metadata"]["annotations"] = {"kubernetes.io/service-account.name": name}
    await cluster.made(_SECRETS, body)
    held = await cluster.until(f"{_SECRETS}/{name}-token", lambda found: "token" in found.get("data", {}))
    assert set(held["data"]) == {"token", "ca.crt", "namespace"}
    assert base64.b64decode(held["data"]["namespace"]).decode() == cluster.namespace
    token = base64.b64decode(held["data"]["token"]).decode()
    who = await cluster.post(_WHOAMI, {}, user="", headers=[("Authorization", f"Bearer {token}")])
    assert who.body["status"]["userInfo"]["username"].endswith(f":{name}")
    await cluster.delete(f"{_ACCOUNTS}/{name}")
    await cluster.gone(f"{_SECRETS}/{name}-token")
