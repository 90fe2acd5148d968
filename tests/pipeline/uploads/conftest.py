"""Fixtures for uploads into a bucket."""

from fakes.gcs.fixture import fake_gcs, gcs_client, service_account_key

__all__ = ["fake_gcs", "gcs_client", "service_account_key"]
