"""The simulated user `kubernaut` may do exactly what config/rbac/kubernaut.yaml lets it do."""

from pathlib import Path

import yaml

from kubernaut.sim.apiserver.bootstrap import SIMULATED_ROLE
from kubernaut.sim.client import ApiClient

SHIPPED = Path(__file__).parents[2] / "config" / "rbac" / "kubernaut.yaml"


async def test_the_simulated_role_is_the_shipped_one(client: ApiClient) -> None:
    """If this fails, copy the changed rules to kubernaut/sim/apiserver/bootstrap.py."""
    documents = yaml.safe_load_all(SHIPPED.read_text())
    shipped = next(item for item in documents if item["kind"] == "ClusterRole")
    held = await client.get(f"/apis/rbac.authorization.k8s.io/v1/clusterroles/{SIMULATED_ROLE}")
    assert held["rules"] == shipped["rules"]
