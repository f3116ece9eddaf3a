"""The parts of manifests that every team writes the same way."""


def namespace(name: str, team: str) -> str:
    """A production namespace."""
    return f"""\
apiVersion: v1
kind: Namespace
metadata:
  name: {name}
  labels:
    environment: production
    team: {team}
"""


def service(app: str, namespace: str) -> str:
    """The Service in front of a Deployment."""
    return f"""\
apiVersion: v1
kind: Service
metadata:
  name: {app}
  namespace: {namespace}
spec:
  selector:
    app.kubernetes.io/name: {app}
  ports:
    - name: http
      port: 80
      targetPort: 8080
"""
