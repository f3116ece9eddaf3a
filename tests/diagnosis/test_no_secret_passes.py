"""Redaction hides what looks like a secret, keeps what a diagnosis needs, and costs linear time."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubernaut.domain.redaction import HIDDEN, is_secret_name, redact, redact_labels

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N"


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("password=hunter2 next", "hunter2"),
        ('DB_PASSWORD: "two words"', "two words"),
        ("{'api_key': 'xyz123'}", "xyz123"),
        ('{"clientSecret":"xyz123"}', "xyz123"),
        ('{"password":"a\\"b,c"}', "b,c"),
        ("spring.datasource.password=s3cr3t", "s3cr3t"),
        ("MYSQL_PWD=s3cr3t", "s3cr3t"),
        ("--password s3cr3t --verbose", "s3cr3t"),
        ("a=password=s3cr3t", "s3cr3t"),
        ("postgres://app:pa55w0rd@db:5432/orders", "pa55w0rd"),
        ("redis://:pa55w0rd@cache", "pa55w0rd"),
        ("https://ghp_0123456789abcdefghijABCDEFGHIJ012345@github.com/x", "ghp_0123456789"),
        ("Authorization: Basic dXNlcjpwYXNz", "dXNlcjpwYXNz"),
        ("authorization: Bearer abcdef0123456789", "abcdef0123456789"),
        ("sent bearer abcdef0123456789ABCD to", "abcdef0123456789ABCD"),
        (f"got {JWT} from", "dozjgNryP4J3jVmNHl0w5N"),
        ("key AKIAIOSFODNN7EXAMPLE used", "AKIAIOSFODNN7EXAMPLE"),
        ("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "K7MDENG"),
        ("aws_secret_access_key = wJalrXUtnFEMIzK7MDENGzbPxRfiCYEXAMPLEKEY", "K7MDENG"),
        ("Set-Cookie: session=abc123; HttpOnly", "abc123"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----", "MIIEow"),
        ("-----BEGIN PRIVATE KEY-----\nMIIEow (cut here", "MIIEow"),
        ("xoxb-123456789012-abcdefghij", "123456789012"),
        ("glpat-abcdefghijklmnopqrst", "abcdefghij"),
    ],
)
def test_secrets_are_hidden(text: str, secret: str) -> None:
    hidden = redact(text)
    assert secret not in hidden
    assert HIDDEN in hidden
    assert redact(hidden) == hidden


@pytest.mark.parametrize(
    "text",
    [
        "couldn't find key DB_URL in ConfigMap shop/settings",
        'secret "db" not found',
        "token bucket exhausted",
        "registry.example/checkout@sha256:0f3c1d2e4b5a69788796a5b4c3d2e1f00f3c1d2e4b5a69788796a5b4c3d2e1f0",
        "GET http://10.0.0.1:8080/healthz: connection refused",
        "level=info passing=true compass=north bypass: yes",
        'key=PAYMENT_TIMEOUT value="2 minutes" err="unknown unit"',
        "basic checks passed",
        "9c1d2e77aa00bb11cc22dd33ee44ff5566778899",
        "/var/lib/kubelet/pods/1b2c3d4e/volumes/kubernetes.io~secret/db",
    ],
)
def test_what_a_diagnosis_needs_stays(text: str) -> None:
    assert redact(text) == text


@given(
    st.sampled_from(["password", "DB_PASSWORD", "api-key", "client_secret", "x.token", "AWS_SECRET_ACCESS_KEY"]),
    st.sampled_from(["=", ": ", ":", " = ", "=>"]),
    st.text(string.ascii_letters + string.digits + "!@#$%^*-_+/", min_size=6, max_size=40),
    st.text(string.printable, max_size=40),
)
def test_a_value_behind_a_secret_name_never_stays(name: str, gap: str, value: str, before: str) -> None:
    marked = f"{value}Zq9"
    assert f"{marked}" not in redact(f"{before}\n{name}{gap}{marked}\nafter")


@given(st.text(max_size=300))
def test_it_never_raises_and_hides_nothing_twice(text: str) -> None:
    once = redact(text)
    assert redact(once) == once


def test_labels_lose_values_by_name_and_by_look() -> None:
    labels = {"app": "shop", "db-password": "x", "url": "http://a:b@c", "secret-empty": ""}
    assert redact_labels(labels) == {
        "app": "shop",
        "db-password": HIDDEN,
        "url": f"http://a:{HIDDEN}@c",
        "secret-empty": "",
    }
    assert is_secret_name("DB_PASSWORD")
    assert not is_secret_name("compass")
